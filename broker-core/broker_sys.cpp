// $SYS: what the shell measured, to whoever subscribed it. Kept in memory like any retained message, stored
// nowhere: after a restart the figures are others.
#include "broker-core/broker_state.hpp"

namespace wake::broker {

void Broker::State::publish_sys(const std::vector<SysValue>& values, Now now) {
  // Every shard is given the values, so none tells another; members of groups are the first one's business.
  const bool speaks_for_all = identity.shard == 0;
  for (const SysValue& value : values) {
    auto record = std::make_shared<MessageRecord>();
    record->id = message_ids.next(now.utc);
    record->topic = value.topic;
    record->payload = value.payload;
    record->retain = true;
    record->at = now.utc;
    on_retain_mail({false, *record});
    Routed routed = Routed::of(record, {});
    gather(routed);
    interested.clear();
    if (speaks_for_all) take_turns();
    deliver_all(routed, now);
    if (speaks_for_all) send_on(routed, 0);
  }
}

}  // namespace wake::broker
