#include "push/fcm/service_account.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "push/text.hpp"

namespace wake::push::fcm {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/firebase.messaging";

std::string require_text(const nlohmann::json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
    throw std::runtime_error(std::string("the service account file has no text \"") + field + "\"");
  }
  return it->get<std::string>();
}

void append_claim(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? "{\"" : ",\"";
  out += name;
  out += "\":";
  append_json_string(out, value);
}

}  // namespace

ServiceAccount parse_service_account(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw std::runtime_error("the service account file is not a JSON object");
  return {require_text(json, "project_id"), require_text(json, "private_key_id"),
          require_text(json, "private_key"), require_text(json, "client_email"),
          require_text(json, "token_uri")};
}

std::string make_assertion(const ServiceAccount& account, const SigningKey& key, broker::UtcTime now) {
  std::string header;
  append_claim(header, "alg", "RS256");
  append_claim(header, "typ", "JWT");
  append_claim(header, "kid", account.private_key_id);
  header += '}';
  std::string claims;
  append_claim(claims, "iss", account.client_email);
  append_claim(claims, "scope", kScope);
  append_claim(claims, "aud", account.token_uri);
  const auto issued_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  claims += ",\"iat\":";
  append_number(claims, issued_s);
  claims += ",\"exp\":";
  append_number(claims, issued_s + 3600);
  claims += '}';
  return key.sign_jwt(header, claims);
}

}  // namespace wake::push::fcm
