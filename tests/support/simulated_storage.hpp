// Storage of the simulated world: the tables as maps, and what a committed Persist does to them.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
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
  std::map<std::int64_t, std::shared_ptr<const EntryRecord>> entries;  // by id
  std::map<std::string, MessageRecord> retained;
  std::map<std::pair<std::string, MessageId>, QueueStart> started;
  std::set<std::pair<std::string, std::uint16_t>> receipts;
  std::set<MessageId> provisional;
  std::vector<Refusal> refused;
  std::map<MessageId, WillRecord> wills;
  std::vector<AlertId> alerts_told;
  std::vector<EntrySwitch> switched;

  /// What a start does before anything is loaded: messages that never became final are forgotten.
  void forget_provisional() {
    for (const MessageId id : provisional) {
      messages.erase(id);
      for (auto& [client, rows] : queue) rows.erase(id);
      std::erase_if(inbox, [&](const auto& row) { return row.second == id; });
      std::erase_if(outbox, [&](const auto& row) { return row.first.first == id; });
    }
    provisional.clear();
  }
  /// A session as it is loaded at a start.
  SessionRecord load(const std::string& client) const {
    SessionRecord record = sessions.at(client);
    for (const auto& [owner, packet_id] : receipts) {
      if (owner == client) record.receipts.push_back({packet_id});
    }
    for (const auto& [key, start] : started) {
      if (key.first == client) record.started.push_back(start.packet_id);
    }
    return record;
  }

  /// Notifications that are due, as the dispatcher's sweep reads them.
  std::vector<Notice> claim(UtcTime now) const {
    std::vector<Notice> due;
    for (const auto& [key, notification] : outbox) {
      const OutboxRow& row = notification.row;
      if (notification.state != "pending" || row.due_at > now) continue;
      Notice& notice = due.emplace_back(Notice{.message_id = key.first, .phone_id = key.second});
      notice.message = std::make_shared<const MessageRecord>(messages.at(key.first));
      if (const auto entry = entries.find(row.entry_id.value); entry != entries.end())
        notice.entry = entry->second;
      notice.expires_at = row.expires_at;
    }
    return due;
  }

  void apply(const Persist& persist) {
    for (const auto& [client, change] : persist.sessions) {
      if (change.purge) purge(client);
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
    for (const MessageRecord& message : persist.messages) {
      // What is provisional is a table of its own, and no column of the message.
      messages.emplace(message.id, message).first->second.is_provisional = false;
    }
    provisional.insert(persist.provisional.begin(), persist.provisional.end());
    for (const MessageId id : persist.finalized) provisional.erase(id);
    for (const Receipt& receipt : persist.receipts) {
      const std::pair key{receipt.client_id.value, receipt.packet_id.value};
      receipt.remove ? static_cast<void>(receipts.erase(key)) : static_cast<void>(receipts.insert(key));
    }
    for (const QueueRow& row : persist.queue) {
      if (!sessions.contains(row.client_id.value)) continue;
      const bool is_new = queue[row.client_id.value].emplace(row.message_id, row).second;
      if (is_new && row.packet_id.value != 0)
        started[{row.client_id.value, row.message_id}] = {row.client_id, row.message_id, row.packet_id};
    }
    for (const QueueStart& start : persist.started) {
      if (queue[start.client_id.value].contains(start.message_id))
        started.insert_or_assign({start.client_id.value, start.message_id}, start);
    }
    for (const InboxRow& row : persist.inbox) inbox.emplace(row.user_id, row.message_id);
    for (const OutboxRow& row : persist.outbox)
      outbox.try_emplace({row.message_id, row.phone_id}, Notification{"pending", row});
    for (const QueueKey& key : persist.acknowledged) {
      queue[key.client_id.value].erase(key.message_id);
      started.erase({key.client_id.value, key.message_id});
    }
    for (const QueueTrim& trim : persist.trims) apply(trim);
    refused.insert(refused.end(), persist.refused.begin(), persist.refused.end());
    for (const OutboxCancel& cancel : persist.cancelled) {
      const auto found = outbox.find({cancel.message_id, cancel.phone_id});
      if (found != outbox.end() && found->second.state == "pending") found->second.state = "cancelled";
    }
    for (const WillRecord& will : persist.wills) wills.emplace(will.id, will);
    for (const WillDue& due : persist.wills_due) {
      if (const auto found = wills.find(due.id); found != wills.end()) found->second.due_at = due.due_at;
    }
    for (const MessageId id : persist.wills_gone) wills.erase(id);
    alerts_told.insert(alerts_told.end(), persist.alerts_told.begin(), persist.alerts_told.end());
    switched.insert(switched.end(), persist.switched.begin(), persist.switched.end());
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
      const auto start = started.find({load.client_id.value, id});
      if (start == started.end()) continue;
      page.messages.back().packet_id = start->second.packet_id;
      page.messages.back().is_received = start->second.is_received;
    }
    return page;
  }

 private:
  void apply(const QueueTrim& trim) {
    auto& rows = queue[trim.client_id.value];
    std::vector<MessageId> ids;
    for (const auto& [id, row] : rows) {
      if (id <= trim.up_to) ids.push_back(id);
    }
    for (std::size_t i = 0; i + trim.keep < ids.size(); ++i) {
      const std::pair key{trim.client_id.value, ids[i]};
      if (started.contains(key) && rows.at(ids[i]).qos == Qos::ExactlyOnce) continue;
      rows.erase(ids[i]);
      started.erase(key);
    }
  }
  void purge(const std::string& client) {
    sessions.erase(client);
    queue.erase(client);
    std::erase_if(started, [&](const auto& row) { return row.first.first == client; });
    std::erase_if(receipts, [&](const auto& row) { return row.first == client; });
  }
};

}  // namespace wake::test
