#include "tests/sim/keys.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/certificate.hpp"

namespace wake::sim {
namespace {

namespace fs = std::filesystem;

struct ApnsKeyRow {
  const char *key_id, *team_id, *environment;
};
constexpr ApnsKeyRow kApnsKeys[] = {
    {"SIMKEY0001", "SIMTEAM001", "any"},
    {"SIMSANDBX1", "SIMTEAM001", "sandbox"},
    {"SIMPRODUC1", "SIMTEAM001", "production"},
    {"SIMOTHER01", "SIMTEAM002", "any"},
};

/// Held while the folder is made, so that two simulators started together end up with the same keys.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(open((folder / ".lock").c_str(), O_CREAT | O_RDWR, 0600)) {
    if (fd_ < 0 || flock(fd_, LOCK_EX) != 0) throw std::runtime_error("cannot lock " + folder.string());
  }
  ~FolderLock() { close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return text.str();
}

void write_secret(const fs::path& file, const std::string& text) {
  const fs::path fresh = file.string() + ".new";
  const int fd = open(fresh.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) close(fd);
  if (!written) throw std::runtime_error("cannot write " + fresh.string());
  fs::rename(fresh, file);
}

Key key_from(const std::string& pem, const fs::path& file) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Key key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  if (!key) throw std::runtime_error("no private key in " + file.string());
  return key;
}

Key open_ec_key(const fs::path& file) {
  if (!fs::exists(file)) write_secret(file, pem_of(Key(EVP_EC_gen("P-256")).get()));
  return key_from(read_text(file), file);
}

ServiceAccount open_account(const fs::path& file) {
  ServiceAccount account;
  account.project_id = "wakemq-sim";
  account.project_number = "100000000001";
  account.client_email = "pusher@wakemq-sim.iam.gserviceaccount.com";
  account.private_key_id = "51a1000000000000000000000000000000000001";
  account.file = file;
  if (fs::exists(file)) {
    const auto json = nlohmann::json::parse(read_text(file), nullptr, false);
    if (!json.is_object() || !json.contains("private_key"))
      throw std::runtime_error("not ours: " + file.string());
    account.key = key_from(json["private_key"].get<std::string>(), file);
  } else {
    account.key.reset(EVP_RSA_gen(2048));
    write_service_account(account, "https://localhost/token");
  }
  return account;
}

}  // namespace

std::string pem_of(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  const bool written = PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  BIO_free(bio);
  if (!written) throw std::runtime_error("cannot write a private key as PEM");
  return pem;
}

Keys open_keys(const fs::path& folder) {
  fs::create_directories(folder);
  const FolderLock lock(folder);
  Keys keys;
  keys.ca_file = folder / "ca.pem";
  keys.ca_key = open_ec_key(folder / "ca.key");
  if (!fs::exists(keys.ca_file)) write_secret(keys.ca_file, make_ca_pem(keys.ca_key.get()));
  fs::permissions(keys.ca_file, fs::perms(0644));  // not a secret, and the gateway may be another user
  for (const auto& row : kApnsKeys) {
    const fs::path file = folder / ("AuthKey_" + std::string(row.key_id) + ".p8");
    keys.apns.push_back({row.key_id, row.team_id, row.environment, file, open_ec_key(file)});
  }
  keys.account = open_account(folder / "service-account.json");
  return keys;
}

void write_service_account(const ServiceAccount& account, std::string_view token_uri) {
  const nlohmann::json json = {{"type", "service_account"},
                               {"project_id", account.project_id},
                               {"private_key_id", account.private_key_id},
                               {"private_key", pem_of(account.key.get())},
                               {"client_email", account.client_email},
                               {"client_id", account.project_number},
                               {"token_uri", token_uri}};
  write_secret(account.file, json.dump(2) + "\n");
}

}  // namespace wake::sim
