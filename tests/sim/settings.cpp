#include "tests/sim/settings.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

namespace wake::sim {
namespace {

using Json = nlohmann::json;

/// Calls `each(name, member)` for every setting: the one list of names.
template <class S, class F>
void for_each_setting(S& s, F each) {
  each("max_concurrent_streams", s.max_concurrent_streams);
  each("delay_ms", s.delay_ms);
  each("idle_close_ms", s.idle_close_ms);
  each("device_per_minute", s.device_per_minute);
  each("tls", s.tls);
  each("alpn", s.alpn);
  each("first_token_gate", s.first_token_gate);
  each("refusals_to_shrink", s.refusals_to_shrink);
  each("token_change_s", s.token_change_s);
  each("token_change_per_key", s.token_change_per_key);
  each("wedge_after_expired", s.wedge_after_expired);
  each("revoked_keys", s.revoked_keys);
  each("topics", s.topics);
  each("project_per_minute", s.project_per_minute);
  each("access_token_s", s.access_token_s);
  each("service_account_revoked", s.service_account_revoked);
  each("permission_denied", s.permission_denied);
}

void read(const Json& value, bool& out) { out = value.get<bool>(); }
void read(const Json& value, std::string& out) { out = value.get<std::string>(); }
void read(const Json& value, std::vector<std::string>& out) { out = value.get<std::vector<std::string>>(); }
void read(const Json& value, std::uint32_t& out) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > UINT32_MAX) {
    throw std::invalid_argument("not a whole number: " + value.dump());
  }
  out = value.get<std::uint32_t>();
}

void require_one_of(const std::string& value, const char* name, const char* usual, const char* other) {
  if (value != usual && value != other) {
    throw std::invalid_argument(std::string(name) + " is \"" + usual + "\" or \"" + other + "\"");
  }
}

}  // namespace

void Settings::apply(const Json& changes) {
  if (!changes.is_object()) throw std::invalid_argument("settings are a JSON object");
  Settings fresh = *this;
  Json unread = changes;
  for_each_setting(fresh, [&](const char* name, auto& member) {
    const auto found = changes.find(name);
    if (found == changes.end()) return;
    try {
      read(*found, member);
    } catch (const Json::exception&) {
      throw std::invalid_argument(std::string("wrong type for ") + name);
    }
    unread.erase(name);
  });
  if (!unread.empty()) throw std::invalid_argument("unknown setting: " + unread.begin().key());
  require_one_of(fresh.tls, "tls", "ok", "fail");
  require_one_of(fresh.alpn, "alpn", "h2", "refuse");
  *this = std::move(fresh);
}

Json to_json(const Settings& settings) {
  Json json;
  for_each_setting(settings, [&](const char* name, const auto& member) { json[name] = member; });
  return json;
}

}  // namespace wake::sim
