// Retained messages (v5 §3.3.1.3): kept within [limits], every shard has all, and sent to a new subscription
// in slices, so that `#` over a million topics stalls nobody.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

constexpr std::size_t kSlice = 500;      // steps of the walk at a time
constexpr unsigned kSlicesPerRound = 4;  // of all sessions; between rounds the sockets are served
constexpr std::size_t kBacklog = 1000;   // messages in the session's queue above which the walk waits
constexpr auto kPause = std::chrono::milliseconds(5);
constexpr auto kNextRound = Duration(1);  // due after what is due now

std::size_t size_of(const MessageRecord& record) {
  return record.topic.size() + record.payload.size() + record.properties.size();
}

}  // namespace

bool Broker::State::may_retain(const Routed& routed) {
  const RecordPtr* known = retained.find(routed.topic);
  const std::size_t bytes = routed.topic.size() + routed.payload.size() + routed.properties.size();
  const std::size_t others = counters.retained_bytes - (known ? size_of(**known) : 0);
  const bool has_room = (known || retained.size() < limits.max_retained_messages) &&
                        others + bytes <= limits.max_retained_bytes;
  if (!has_room) {
    ++counters.messages_refused;
    if (!std::exchange(is_retained_full, true)) {
      report(Incident::Level::Warn, "retained.full",
             std::to_string(retained.size()) + " messages of " + std::to_string(counters.retained_bytes) +
                 " bytes are retained, as much as [limits] allows: more are refused");
    }
  }
  return has_room;
}

bool Broker::State::retain(Routed& routed) {
  RetainedChange change;
  change.clear = routed.payload.empty();  // v5 [MQTT-3.3.1-6], v3.1.1 [MQTT-3.3.1-10]
  if (!change.clear && !may_retain(routed)) return false;
  if (change.clear) {
    change.message.id = routed.id;
    change.message.topic = routed.topic;
  } else {
    change.message = *routed.keep()->record;
    change.message.is_provisional = false;
  }
  on_retain_mail(change);
  for (unsigned shard = 0; shard < identity.shard_count; ++shard) {
    if (shard != identity.shard) mail[shard].push_back(RetainMail{change});
  }
  ledger.open().retained.push_back(std::move(change));
  if (routed.waiter.kind != Waiter::Kind::None) owe_commit(*routed.keep());
  return true;
}

void Broker::State::on_retain_mail(const RetainedChange& change) {
  const RecordPtr* known = retained.find(change.message.topic);
  if (known && (*known)->id > change.message.id) return;
  if (known) counters.retained_bytes -= size_of(**known);
  if (change.clear) {
    retained.erase(change.message.topic);
    is_retained_full = false;
  } else {
    counters.retained_bytes += size_of(change.message);
    retained.set(change.message.topic, std::make_shared<const MessageRecord>(change.message));
  }
  counters.retained = retained.size();
}

// ---- to a new subscription

/// One walk per filter: who subscribes to it again has it begin again.
void Broker::State::start_retained(Session& session, const SubscriptionRecord& subscription, Now now) {
  if (retained.size() == 0) return;
  const auto is_same = [&](const RetainedJob& job) { return job.subscription.filter == subscription.filter; };
  const bool was_idle = session.retained_jobs.empty();
  std::erase_if(session.retained_jobs, is_same);
  session.retained_jobs.push_back({subscription, {}});
  if (was_idle) on_retained_timer(session, now);
}

void Broker::State::on_retained_timer(Session& session, Now now) {
  if (retained_slices < kSlicesPerRound) {
    ++retained_slices;
    return send_retained_slice(session, now);
  }
  timers.arm({now.steady + kNextRound, Timer::Kind::RetainedSlice, session.key(), {}});
}

void Broker::State::send_retained_slice(Session& session, Now now) {
  const auto has_ended = [&](const RetainedJob& job) {
    return !session.subscriptions.contains(
        job.subscription.filter);  // unsubscribed, or not permitted any more
  };
  std::erase_if(session.retained_jobs, has_ended);
  if (session.retained_jobs.empty() || !session.is_connected()) return session.retained_jobs.clear();
  const bool has_room = session.deliveries.size() - session.sent < kBacklog &&
                        session.queued_messages < limits.max_queued_messages / 2 + 1 &&
                        connection_of(session)->output.size() < kBacklog * 1024;
  if (has_room) {
    RetainedJob& job = session.retained_jobs.front();
    std::vector<RecordPtr> found;
    const bool is_over =
        retained.match(job.subscription.filter, job.cursor, kSlice,
                       [&](std::string_view, const RecordPtr& record) { found.push_back(record); });
    const SubscriptionRecord subscription = job.subscription;
    if (is_over) session.retained_jobs.erase(session.retained_jobs.begin());
    for (const RecordPtr& record : found) {
      if (record->expires_at <= now.utc) continue;
      if (subscription.no_local && record->publisher == session.client_id) continue;
      Routed routed = Routed::of(record, {});
      routed.retain = true;  // v5 [MQTT-3.3.1-8], v3.1.1 [MQTT-3.3.1-8]: sent because of a new subscription
      Target target{.session = session.slot,
                    .qos = subscription.qos,
                    .retain_as_published = true,
                    .entry = Target::kNoEntry,
                    .subscription_ids = {}};
      if (subscription.subscription_id != 0) target.subscription_ids.push_back(subscription.subscription_id);
      EncodedCache cache;
      deliver(routed, target, cache, now);
    }
  }
  if (session.retained_jobs.empty()) return;
  const Duration pause = has_room ? kNextRound : Duration(kPause);
  timers.arm({now.steady + pause, Timer::Kind::RetainedSlice, session.key(), {}});
}

}  // namespace wake::broker
