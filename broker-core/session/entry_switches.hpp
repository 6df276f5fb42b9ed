// Topic entries that phones of this shard have switched by SUBSCRIBE or UNSUBSCRIBE: writes of ours to the
// registry, which take effect here before they are stored. Records of the user that were read before keep
// coming meanwhile; what was switched is laid over them, so that none flips it back.
//
//   switched --committed--> stored --a record read after that--> forgotten
//
// Whether a record that says otherwise is older than the switch or tells of a newer one cannot be seen, so
// the user is then read once more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker-core/delivery/records.hpp"

namespace wake::broker {

/// The user with the entry of this filter on or off; null: there is none, or it is so already.
UserRecordPtr with_entry(const UserRecordPtr& user, std::string_view filter, bool is_subscribed);

class EntrySwitches {
 public:
  /// To be stored by this batch.
  void add(UserId user, std::string_view filter, bool is_subscribed, std::uint64_t batch);

  struct Overlaid {
    UserRecordPtr record;
    bool must_read_again = false;
  };
  Overlaid lay_over(const UserRecordPtr& record);

  /// Storage has it, or has refused it. True: the user must be read again.
  bool answered(UserId user, std::string_view filter, std::uint64_t batch, bool is_failed, SteadyTime now);

 private:
  struct Switched {
    std::string filter;
    bool is_subscribed = true;
    std::uint64_t batch = 0;
    SteadyTime stored_at = SteadyTime::max();  // max: not yet
    bool is_doubted = false;                   // a record said otherwise meanwhile
  };
  std::unordered_map<UserId, std::vector<Switched>> of_user_;
};

}  // namespace wake::broker
