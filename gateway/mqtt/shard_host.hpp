// What a shard asks of the rest of the process. Every function is called on the shard's thread, must not
// block, and answers, where there is an answer, through the Shard's post functions from any thread.
#pragma once

#include <vector>

#include "broker-core/effects.hpp"

namespace wake::gateway {

class ShardHost {
 public:
  /// Answered by Broker::on_authenticated.
  virtual void authenticate(unsigned shard, broker::Authenticate question) = 0;
  /// Answered by Broker::on_will_judged.
  virtual void judge_will(unsigned shard, broker::JudgeWill question) = 0;
  /// Answered by Broker::on_queue_page.
  virtual void load_queue(unsigned shard, broker::LoadQueue load) = 0;
  /// Answered by Shard::post_committed.
  virtual void commit(unsigned shard, broker::Persist batch) = 0;
  /// Committed and to be sent. One call for all of a round.
  virtual void notify(std::vector<broker::Notice> notices) = 0;
  virtual void cancel(broker::CancelNotice notice) = 0;
  virtual void recall(broker::RecallNotices notices) = 0;
  /// Answered by Broker::apply_user, on every shard.
  virtual void read_user(broker::UserId user) = 0;
  virtual void settled(broker::PublishSettled settled) = 0;
  virtual void pair(broker::PairRequest request) = 0;

 protected:
  ~ShardHost() = default;
};

}  // namespace wake::gateway
