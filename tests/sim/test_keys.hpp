// Keys and requests for the tests of the rule books, made in memory once per process.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <openssl/pem.h>

#include "tests/sim/exchange.hpp"
#include "tests/sim/jwt.hpp"
#include "tests/sim/keys.hpp"

namespace wake::sim {

constexpr Time kNoon{std::chrono::seconds(1'795'176'000)};

inline const std::vector<ApnsKey>& test_apns_keys() {
  static const std::vector<ApnsKey> keys = [] {
    std::vector<ApnsKey> made;
    made.push_back({"KEYFORALL1", "TEAM000001", "any", {}, Key(EVP_EC_gen("P-256"))});
    made.push_back({"KEYSANDBOX", "TEAM000001", "sandbox", {}, Key(EVP_EC_gen("P-256"))});
    made.push_back({"KEYOTHER01", "TEAM000002", "any", {}, Key(EVP_EC_gen("P-256"))});
    made.push_back({"KEYFORALL2", "TEAM000001", "any", {}, Key(EVP_EC_gen("P-256"))});
    return made;
  }();
  return keys;
}

/// "bearer <JWT>" of that key, issued at `iat`.
inline std::string bearer(std::size_t key, Time iat) {
  const auto& row = test_apns_keys()[key];
  const nlohmann::json claims = {{"iss", row.team_id}, {"iat", unix_seconds(iat)}};
  return "bearer " + sign_jwt("ES256", row.key_id, claims, row.key.get());
}

inline ServiceAccount test_account() {
  static const std::string pem = pem_of(Key(EVP_RSA_gen(2048)).get());
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  ServiceAccount account{"project-1", "123456", "pusher@project-1.example", "kid-1", {}, {}};
  account.key.reset(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  return account;
}

inline Request post(std::string path, Headers headers, std::string body) {
  Request request;
  request.connection = 1;
  request.stream = 1;
  request.method = "POST";
  request.path = std::move(path);
  request.headers = std::move(headers);
  request.body_bytes = body.size();
  request.body = std::move(body);
  return request;
}

}  // namespace wake::sim
