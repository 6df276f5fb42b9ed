// What a shard's machine asks for, carried out: each effect is one line to whoever does it.
#include <utility>

#include "gateway/mqtt/shard_impl.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

LogLevel level_of(broker::Incident::Level level) {
  switch (level) {
    case broker::Incident::Level::Debug:
      return LogLevel::Debug;
    case broker::Incident::Level::Info:
      return LogLevel::Info;
    case broker::Incident::Level::Warn:
      return LogLevel::Warn;
  }
  return LogLevel::Warn;
}

}  // namespace

bool Shard::Impl::carry_out_all() {
  constexpr int kSteps = 16;
  bool has_moved = true;
  for (int i = 0; has_moved && i < kSteps; ++i) {
    has_moved = carry_out_effects();
    if (broker.has_persist()) host.commit(options.identity.shard, broker.take_persist());
    has_moved |= send_mail();
    has_moved |= sockets.write_touched(now);
  }
  if (!notices.empty()) host.notify(std::exchange(notices, {}));
  return has_moved;
}

bool Shard::Impl::carry_out_effects() {
  broker::Effects effects = broker.take_effects();
  for (broker::Effect& effect : effects) carry_out(effect);
  return !effects.empty();
}

void Shard::Impl::carry_out(broker::Effect& effect) {
  const unsigned self = options.identity.shard;
  if (auto* close = std::get_if<broker::Close>(&effect))
    return sockets.close(close->connection, close->reason, now);
  if (auto* handover = std::get_if<broker::Handover>(&effect)) return hand_over(*handover);
  if (auto* resume = std::get_if<broker::Resume>(&effect)) return sockets.resume(resume->connection, now);
  if (auto* ask = std::get_if<broker::Authenticate>(&effect)) return host.authenticate(self, std::move(*ask));
  if (auto* judge = std::get_if<broker::JudgeWill>(&effect)) return host.judge_will(self, std::move(*judge));
  if (auto* load = std::get_if<broker::LoadQueue>(&effect)) return host.load_queue(self, std::move(*load));
  if (auto* notify = std::get_if<broker::Notify>(&effect))
    return notices.push_back(std::move(notify->notice));
  if (auto* cancel = std::get_if<broker::CancelNotice>(&effect)) {
    // In order with the notices: one of this round may be the one that is cancelled.
    if (!notices.empty()) host.notify(std::exchange(notices, {}));
    return host.cancel(*cancel);
  }
  if (auto* recall = std::get_if<broker::RecallNotices>(&effect)) {
    if (!notices.empty()) host.notify(std::exchange(notices, {}));
    return host.recall(*recall);
  }
  if (auto* read = std::get_if<broker::ReadUser>(&effect)) return host.read_user(read->user);
  if (auto* settled = std::get_if<broker::PublishSettled>(&effect)) return host.settled(*settled);
  if (auto* pair = std::get_if<broker::PairRequest>(&effect)) return host.pair(std::move(*pair));
  report(std::get<broker::Incident>(effect));
}

bool Shard::Impl::send_mail() {
  bool has_sent = false;
  for (unsigned k = 0; k < options.identity.shard_count; ++k) {
    std::vector<broker::Mail> mail = broker.take_mail(k);
    if (mail.empty()) continue;
    has_sent = true;
    shards[k]->post_mail(options.identity.shard, std::move(mail));
  }
  return has_sent;
}

void Shard::Impl::hand_over(const broker::Handover& handover) {
  if (std::optional<Arrival> arrival = sockets.take(handover.connection)) {
    shards[handover.shard]->post_arrival(std::move(*arrival));
  }
}

void Shard::Impl::report(const broker::Incident& incident) {
  ++incidents[incident.event];
  log(level_of(incident.level), incident.event, incident.text);
}

}  // namespace wake::gateway
