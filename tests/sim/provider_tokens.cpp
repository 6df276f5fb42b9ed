#include "tests/sim/provider_tokens.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace wake::sim {
namespace {

constexpr std::int64_t kLongestAgeS = 3600;
constexpr std::int64_t kClockSkewS = 300;  // how far ahead iat may be; Apple gives no number
constexpr std::size_t kSeenTokens = 1000;  // verified once, then known by their text
constexpr std::string_view kBearer = "bearer ";

std::optional<std::string_view> bearer_token(std::string_view header) {
  if (header.size() <= kBearer.size()) return std::nullopt;
  const auto same = [](char a, char b) { return a == b || a == b - 'a' + 'A'; };
  if (!std::equal(kBearer.begin(), kBearer.end(), header.begin(),
                  [&](char b, char a) { return same(a, b); })) {
    return std::nullopt;
  }
  return header.substr(kBearer.size());
}

std::chrono::seconds age(Time since, Time now) {
  return std::chrono::floor<std::chrono::seconds>(now - since);
}

}  // namespace

Refusal ProviderTokens::check(ConnectionId id, std::optional<std::string_view> authorization, Time now) {
  if (!authorization) return "MissingProviderToken";
  const auto token = bearer_token(*authorization);
  if (!token) return "InvalidProviderToken";
  PerConnection& connection = connections_[id];
  const bool changed = connection.token != *token;
  const std::string text = changed ? std::string(*token) : std::string{};
  const Seen& seen = look_at(changed ? text : connection.token);
  if (connection.wedged && settings_.wedge_after_expired) return "ExpiredProviderToken";
  const Refusal refusal = check_token(seen, now);
  if (refusal) {
    connection.wedged = connection.wedged || refusal == std::string_view("ExpiredProviderToken");
    return refusal;
  }
  return changed ? check_change(connection, seen, text, now) : nullptr;
}

/// Verifying costs far more than the rest of a request, and a token comes thousands of times.
const ProviderTokens::Seen& ProviderTokens::look_at(const std::string& token) {
  const auto known = seen_.find(token);
  if (known != seen_.end()) return known->second;
  if (seen_.size() >= kSeenTokens) seen_.clear();
  Seen seen;
  if (const auto jwt = parse_jwt(token); jwt && jwt->alg == "ES256") {
    const auto key =
        std::find_if(keys_.begin(), keys_.end(), [&](const ApnsKey& k) { return k.key_id == jwt->kid; });
    const auto iss = jwt->claims->find("iss");
    const auto iat = jwt->claims->find("iat");
    const bool whole = key != keys_.end() && iss != jwt->claims->end() && *iss == key->team_id &&
                       iat != jwt->claims->end() && iat->is_number_integer();
    if (whole && verify(*jwt, key->key.get())) seen = {&*key, iat->get<std::int64_t>()};
  }
  return seen_.emplace(token, seen).first->second;
}

Refusal ProviderTokens::check_token(const Seen& seen, Time now) const {
  if (!seen.key || is_revoked(*seen.key)) return "InvalidProviderToken";
  if (seen.key->environment != "any" && seen.key->environment != environment_)
    return "BadEnvironmentKeyIdInToken";
  const auto seconds = unix_seconds(now) - seen.iat;
  if (seconds > kLongestAgeS) return "ExpiredProviderToken";
  if (seconds < -kClockSkewS) return "InvalidProviderToken";
  return nullptr;
}

/// A token this connection has not in use: related key, and not too soon after the one before.
Refusal ProviderTokens::check_change(PerConnection& connection, const Seen& seen, const std::string& token,
                                     Time now) {
  const std::chrono::seconds least(settings_.token_change_s);
  if (connection.key) {
    if (connection.key->team_id != seen.key->team_id ||
        connection.key->environment != seen.key->environment) {
      return "UnrelatedKeyIdInToken";
    }
    // Apple's floor is of the key: one that takes over from another may be used at once.
    if (connection.key == seen.key && age(connection.since, now) < least)
      return "TooManyProviderTokenUpdates";
  }
  auto& [newest, since] = newest_[seen.key];
  if (newest != token) {
    const bool soon = !newest.empty() && age(since, now) < least;
    if (settings_.token_change_per_key && soon) return "TooManyProviderTokenUpdates";
    newest = token;
    since = now;
  }
  connection = {token, seen.key, now, false};
  return nullptr;
}

bool ProviderTokens::is_revoked(const ApnsKey& key) const {
  const auto& revoked = settings_.revoked_keys;
  return std::find(revoked.begin(), revoked.end(), key.key_id) != revoked.end();
}

void ProviderTokens::reset() {
  connections_.clear();
  newest_.clear();
}

}  // namespace wake::sim
