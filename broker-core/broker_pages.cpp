// What storage holds of a session's queue comes back into memory, page by page (see broker_queue.cpp on the
// order that is kept).
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

constexpr std::size_t kPage = 200;        // rows read at a time
constexpr std::size_t kRefillBelow = 50;  // read more when memory holds fewer

}  // namespace

void Broker::State::load_more(Session& session) {
  const bool is_wanted = session.has_stored_tail && session.load_ticket == 0 && session.is_connected() &&
                         session.deliveries.size() - session.sent < kRefillBelow && !session.holds();
  if (!is_wanted) return;
  if (session.is_catching_up && !ledger.is_committed(session.catch_up_batch))
    return;  // on_committed comes back
  LoadQueue load{session.client_id, next_ticket++, {}, kPage};
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    // Also what is not stored yet: it may be by the time storage reads.
    const Delivery& held = session.deliveries[i];
    if (held.message) load.except.push_back(held.message->record->id);
  }
  for (std::size_t i = 0; i < session.fresh.size(); ++i)
    load.except.push_back(session.fresh[i].message->record->id);
  for (std::size_t i = 0; i < session.removals.size(); ++i) load.except.push_back(session.removals[i].second);
  load.except.insert(load.except.end(), session.handing.begin(), session.handing.end());
  session.load_ticket = load.ticket;
  effects.push_back(std::move(load));
}

void Broker::State::on_queue_page(Session& session, QueuePage page, Now now) {
  session.load_ticket = 0;
  if (session.leaving) return on_leaving_page(session, std::move(page), now);
  if (!session.is_connected()) return;
  const bool is_short = page.is_last;
  if (session.is_catching_up) drop_fresh(session, page);
  const std::vector<ShareName> groups = groups_of(session);
  std::size_t revoked_count = 0;
  for (QueuedMessage& row : page.messages) {
    auto record = std::make_shared<const MessageRecord>(std::move(row.message));
    if (hand_left_over(session, row, record, now)) continue;
    const bool has_begun = row.qos == Qos::ExactlyOnce && row.packet_id.value != 0;
    if (!has_begun && !may_still_receive(session, record->topic)) {
      forget_owed(session, *record);
      remove_row(session, record->id);
      ++revoked_count;
      continue;
    }
    const MessageRef message(new Message{.record = std::move(record), .waiter = {}, .stored_batch = 1});
    Delivery owed{
        .message = message, .qos = row.qos, .is_stored = true, .retain = row.retain, .may_have_notice = true};
    owed.subscription_id = row.subscription_id;
    owed.has_more_ids = row.subscription_id != 0;
    owed.share = group_for(groups, message->record->topic);
    restore(session, row, std::move(owed));
  }
  tell_revoked(session, revoked_count);
  if (is_short && session.is_catching_up) {
    // Everything stored before `fresh` is in memory now.
    while (!session.fresh.is_empty()) {
      session.append(std::move(session.fresh.front()));
      session.fresh.pop_front();
    }
    session.is_catching_up = session.has_stored_tail = false;
    session.left_groups.clear();
    std::erase_if(session.restored, [](const auto& known) { return known.second == Session::kNotLoaded; });
    recount(session);
  } else if (is_short) {
    session.is_catching_up = true;
    session.catch_up_batch = session.last_stored_batch;
    if (!ledger.is_committed(session.catch_up_batch)) {
      ledger.waiting_for(session.catch_up_batch).catching_up.push_back(session.key());
    }
  } else if (session.is_catching_up) {
    session.is_catching_up = false;  // a full page: more than `fresh` can bridge
    session.fresh.clear();
  }
  pump(session, now);
}

/// Storage is read some time after it was asked: what came and was committed in between is in the page and in
/// `fresh`. The last page leaves it to `fresh`; any other gives up `fresh`, and so must not go beyond what
/// that holds.
void Broker::State::drop_fresh(const Session& session, QueuePage& page) {
  std::vector<MessageId> fresh;
  for (std::size_t i = 0; i < session.fresh.size(); ++i)
    fresh.push_back(session.fresh[i].message->record->id);
  if (fresh.empty()) return;
  std::ranges::sort(fresh);
  std::erase_if(page.messages, [&](const QueuedMessage& row) {
    return page.is_last ? std::ranges::binary_search(fresh, row.message.id) : row.message.id > fresh.front();
  });
}

/// Rows that expired in storage were never told of: once all is in memory, what is owed can be counted.
void Broker::State::recount(Session& session) {
  std::uint32_t messages = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < session.deliveries.size(); ++i) {
    const MessageRef& message = session.deliveries[i].message;
    if (!message) continue;
    ++messages;
    bytes += message->record->payload.size() + message->record->topic.size();
  }
  set_owed(session, messages, bytes);
}

}  // namespace wake::broker
