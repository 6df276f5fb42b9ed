// Storage of the simulated world: the tables as maps, and what a committed Persist does to them.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker-core/effects.hpp"
#include "broker-core/persist.hpp"

namespace wake::test {

using namespace wake::broker;

/// What storage holds, as the tables would.
struct Storage {
  struct Notification {
    std::string state = "pending";
    OutboxRow row;
  };
  std::map<std::string, SessionRecord> sessions;
  std::map<MessageId, MessageRecord> messages;
  std::map<std::string, std::map<MessageId, QueueRow>> queue;
  std::set<std::pair<UserId, MessageId>> inbox;
  std::map<std::pair<MessageId, PhoneId>, Notification> outbox;
  std::map<std::string, MessageRecord> retained;

  void apply(const Persist& persist) {
    for (const auto& [client, change] : persist.sessions) {
      if (change.purge) sessions.erase(client), queue.erase(client);
      if (change.store) {
        auto subscriptions = std::move(sessions[client].subscriptions);
        sessions[client] = change.row;
        sessions[client].subscriptions = std::move(subscriptions);
      }
      for (const auto& one : change.subscriptions) {
        auto& list = sessions[client].subscriptions;
        std::erase_if(
            list, [&](const SubscriptionRecord& known) { return known.filter == one.subscription.filter; });
        if (!one.remove) list.push_back(one.subscription);
      }
    }
    for (const MessageRecord& message : persist.messages) messages.emplace(message.id, message);
    for (const QueueRow& row : persist.queue) {
      if (sessions.contains(row.client_id.value)) queue[row.client_id.value].emplace(row.message_id, row);
    }
    for (const InboxRow& row : persist.inbox) inbox.emplace(row.user_id, row.message_id);
    for (const OutboxRow& row : persist.outbox)
      outbox.try_emplace({row.message_id, row.phone_id}, Notification{"pending", row});
    for (const QueueKey& key : persist.acknowledged) queue[key.client_id.value].erase(key.message_id);
    for (const OutboxCancel& cancel : persist.cancelled) {
      const auto found = outbox.find({cancel.message_id, cancel.phone_id});
      if (found != outbox.end() && found->second.state == "pending") found->second.state = "cancelled";
    }
    for (const RetainedChange& change : persist.retained) {
      if (change.clear) {
        retained.erase(change.message.topic);
      } else {
        retained.insert_or_assign(change.message.topic, change.message);
      }
    }
  }

  /// The rows as they are when storage answers, which is later than it was asked.
  QueuePage page(const LoadQueue& load) {
    QueuePage page;
    for (const auto& [id, row] : queue[load.client_id.value]) {
      if (std::find(load.except.begin(), load.except.end(), id) != load.except.end()) continue;
      if (page.messages.size() == load.limit) {
        page.is_last = false;
        break;
      }
      page.messages.push_back({messages.at(id), row.qos, row.retain, row.subscription_id});
    }
    return page;
  }
};

}  // namespace wake::test
