#include "gateway/bridge/logins.hpp"

#include "broker-core/bridge/topic.hpp"

namespace wake::gateway {

namespace {

constexpr std::string_view kPrefix = "bridge:";

broker::Grants grants_of(const config::BridgeOptions& bridge) {
  broker::Grants grants;
  for (const broker::BridgeTopic& topic : config::topics_of(bridge)) {
    const std::string filter = topic.local_filter();
    if (topic.comes_in()) grants.publish_filters.push_back(filter);
    if (!topic.goes_out()) continue;
    grants.subscribe_filters.push_back(filter);
    if (filter.starts_with("$SYS")) grants.may_see_sys = true;
  }
  return grants;
}

}  // namespace

BridgeLogins::BridgeLogins(const std::vector<config::BridgeOptions>& bridges)
    : password_(make_device_secret()) {
  for (const config::BridgeOptions& bridge : bridges) {
    grants_.emplace(client_id_of(bridge.name).value, grants_of(bridge));
  }
}

std::optional<broker::AuthOutcome> BridgeLogins::judge(const broker::Authenticate& question) const {
  const std::string& id = question.client_id.value;
  if (!is_bridge(question.client_id)) return std::nullopt;
  const auto known = grants_.find(id);
  const bool is_ours = known != grants_.end() && question.password &&
                       is_equal_constant_time(*question.password, password_.reveal());
  if (!is_ours) return broker::AuthOutcome{broker::AuthOutcome::Kind::Refused, {}, {}};
  return broker::AuthOutcome{
      broker::AuthOutcome::Kind::Allowed, {broker::Principal::Kind::Service, id, "bridge"}, known->second};
}

bool BridgeLogins::is_bridge(const broker::ClientId& client_id) {
  return client_id.value.starts_with(kPrefix);
}

bool BridgeLogins::is_abandoned(const broker::ClientId& client_id) const {
  return is_bridge(client_id) && !grants_.contains(client_id.value);
}

}  // namespace wake::gateway
