#include "tests/sim/apns_service.hpp"

#include <algorithm>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/sim/apns_rules.hpp"
#include "tests/sim/encoding.hpp"
#include "tests/sim/scripted_headers.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;

std::string refusal_body(const std::string& reason, std::optional<std::int64_t> timestamp_ms) {
  Json json = {{"reason", reason}};
  if (timestamp_ms) json["timestamp"] = *timestamp_ms;
  return json.dump();
}

std::string id_of(const Request& request) {
  const auto id = request.header("apns-id");
  return id ? std::string(*id) : random_uuid();
}

}  // namespace

ApnsService::ApnsService(const Keys& keys, std::string environment, const Settings& settings)
    : keys_(keys),
      environment_(environment),
      settings_(settings),
      tokens_(keys.apns, environment, settings) {}

Verdict ApnsService::judge(const Request& request, Time now) {
  std::string target = apns::token_of(request.path).value_or("");
  const char* bad_target = apns::check_target(request);
  // A token that is no token is told so only to those with a credential.
  const bool bad_token = bad_target && bad_target == std::string_view("BadDeviceToken");
  if (bad_target && !bad_token) return refuse(request, std::move(target), bad_target);
  if (const char* reason = tokens_.check(request.connection, request.header("authorization"), now)) {
    return refuse(request, std::move(target), reason);
  }
  connections_[request.connection].trusted = true;
  if (bad_token) return refuse(request, std::move(target), bad_target);
  auto checked = apns::check_message(request, settings_.topics, now);
  if (!checked.refusal) checked.refusal = check_declared(checked.push);
  if (!checked.refusal && !per_device_.allow(target, settings_.device_per_minute, now)) {
    checked.refusal = "TooManyRequests";
  }
  if (checked.refusal) return refuse(request, std::move(target), checked.refusal);
  Verdict verdict;
  verdict.reply.headers.emplace_back("apns-id", checked.push.id);
  verdict.target = std::move(target);
  verdict.title = checked.push.title.empty() ? checked.push.body : checked.push.title;
  verdict.push = std::move(checked.push);
  return verdict;
}

Verdict ApnsService::refuse(const Request& request, std::string target, const char* reason) const {
  Verdict verdict;
  verdict.reply = {
      apns::status_of(reason), {{"apns-id", id_of(request)}}, refusal_body(reason, std::nullopt)};
  verdict.reason = reason;
  verdict.target = std::move(target);
  return verdict;
}

const char* ApnsService::check_declared(const Push& push) const {
  const auto known = declared_.find(push.token);
  if (known == declared_.end()) return nullptr;
  const auto& [environment, topic] = known->second;
  if (!environment.empty() && environment != environment_) return "BadDeviceToken";
  if (!topic.empty() && topic != push.app) return "DeviceTokenNotForTopic";
  return nullptr;
}

void ApnsService::script(Verdict& verdict, const Answer& answer, Time now) const {
  Reply& reply = verdict.reply;
  const int usual = answer.reason.empty() ? 200 : apns::status_of(answer.reason);
  reply.status = answer.status.value_or(usual == 0 ? 400 : usual);
  if (answer.refuses()) {
    verdict.reason = answer.reason.empty() ? "scripted" : answer.reason;
    auto timestamp = answer.timestamp_ms;
    if (!timestamp && reply.status == 410) timestamp = now.time_since_epoch().count();
    if (!answer.reason.empty()) reply.body = refusal_body(answer.reason, timestamp);
  }
  add_scripted_headers(reply, answer, now);
}

void ApnsService::on_close(ConnectionId id) {
  connections_.erase(id);
  tokens_.forget(id);
}

void ApnsService::on_answered(ConnectionId id, int status) {
  const auto connection = connections_.find(id);
  if (connection == connections_.end()) return;  // closed by the answer itself
  auto& refusals = connection->second.refusals;
  if (status == 200) {
    refusals = 0;
  } else if (status >= 400 && status < 500 && status != 410) {
    ++refusals;
  }
}

std::uint32_t ApnsService::stream_limit(ConnectionId id) const {
  const auto found = connections_.find(id);
  const PerConnection state = found == connections_.end() ? PerConnection{} : found->second;
  if (settings_.first_token_gate && !state.trusted) return 1;
  if (settings_.refusals_to_shrink != 0 && state.refusals >= settings_.refusals_to_shrink) return 1;
  return settings_.max_concurrent_streams;
}

void ApnsService::declare(const Json& json) {
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    if (found == json.end()) return std::string{};
    if (!found->is_string()) throw std::invalid_argument(std::string(name) + " is a string");
    return found->get<std::string>();
  };
  const std::string token = canonical_token(text("token"));
  const std::string environment = text("environment");
  if (!is_hex(token)) throw std::invalid_argument("token is hex");
  if (!environment.empty() && environment != "sandbox" && environment != "production") {
    throw std::invalid_argument("environment is \"sandbox\" or \"production\"");
  }
  declared_[token] = {environment, text("topic")};
}

std::string ApnsService::credential(Time now) {
  const ApnsKey& key = keys_.apns.front();
  const Json claims = {{"iss", key.team_id}, {"iat", unix_seconds(now)}};
  return "bearer " + sign_jwt("ES256", key.key_id, claims, key.key.get());
}

std::string ApnsService::canonical_token(std::string token) const {
  for (char& c : token) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return token;
}

void ApnsService::reset() {
  declared_.clear();
  per_device_.reset();
  tokens_.reset();
}

}  // namespace wake::sim
