// Which principals changed lately in the registry: so that a log-in that was looked up before a change is not
// let in after it, with the password or the permissions of before. Whoever uses it locks (node.hpp): noting a
// change and telling the shards are one step, and so are asking here and letting in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "broker-core/types.hpp"

namespace wake::gateway {

class RecentChanges {
 public:
  using Concerns = std::function<bool(const broker::Principal&)>;

  /// As of now; taken before the registry is asked.
  std::uint64_t mark() const { return count_; }
  /// A change that concerns whom `concerns` says is committed.
  void note(Concerns concerns) {
    changes_.push_back(std::move(concerns));
    ++count_;
    if (changes_.size() > kKept) changes_.pop_front();
  }
  /// Has something that concerns the principal changed since? True as well when that is too long ago to tell.
  bool has_changed_since(std::uint64_t mark, const broker::Principal& principal) const {
    const std::uint64_t since = count_ - mark;
    if (since > changes_.size()) return true;
    for (std::size_t i = changes_.size() - since; i < changes_.size(); ++i) {
      if (changes_[i](principal)) return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t kKept = 1'000;
  std::deque<Concerns> changes_;
  std::uint64_t count_ = 0;
};

}  // namespace wake::gateway
