#include "gateway/alert_teller.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "broker-core/delivery/event_entry.hpp"
#include "broker-core/packet/publish_properties.hpp"
#include "db/pool.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

constexpr int kAlertPage = 500;

/// Of the events that migrations/ writes; another's push shows its device alone.
std::string body_of(const nlohmann::json& event, const std::string& name) {
  const std::string type = event.value("type", "");
  const std::string who = event.value("username", "");
  if (type == "paired") return name + " is paired with your account.";
  if (type == "unpaired") return name + " is no longer paired with your account.";
  if (type == "member_joined") return who + " can use " + name + " now.";
  if (type == "member_left") return (who.empty() ? "A member" : who) + " does not use " + name + " any more.";
  if (type == "role_changed")
    return event.value("role", "") == "owner" ? name + " is yours now." : name + " has a new owner.";
  return name;
}

}  // namespace

broker::MessageRecord to_message(const db::Alert& alert) {
  const auto event = nlohmann::json::parse(alert.event);
  std::string name = event.value("name", "");
  if (name.empty()) name = event.value("device_id", "WakeMQ");
  broker::MessageRecord message;
  message.topic = broker::kEventTopic;
  message.payload = event.dump();
  broker::append_user_property(message.properties, "wake-title", name);
  broker::append_user_property(message.properties, "wake-body", body_of(event, name));
  return message;
}

void AlertTeller::tell(std::optional<broker::UserId> user) {
  const std::lock_guard lock(mutex_);
  for (bool is_full = true; is_full;) {
    forget_done();
    const std::vector<db::Alert> alerts = claim(user);
    bool has_new = false;
    for (const db::Alert& alert : alerts) {
      if (!telling_.insert(alert.id).second) continue;
      has_new = true;
      surroundings_.send(alert, to_message(alert), [this, id = alert.id] {
        const std::lock_guard done_lock(done_mutex_);
        done_.push_back(id);
      });
    }
    is_full = has_new && alerts.size() == kAlertPage;
  }
}

std::vector<db::Alert> AlertTeller::claim(std::optional<broker::UserId> user) {
  const int node = surroundings_.node();
  if (node < 0) return {};
  return pool_.with(
      [&](db::Connection& connection) { return db::claim_alerts(connection, node, user, kAlertPage); });
}

void AlertTeller::forget_done() {
  std::vector<broker::AlertId> done;
  {
    const std::lock_guard lock(done_mutex_);
    done.swap(done_);
  }
  for (const broker::AlertId id : done) telling_.erase(id);
}

}  // namespace wake::gateway
