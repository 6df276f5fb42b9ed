// Waiting, with an end to patience, for what other threads answer. Answers that come too late go nowhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace wake::gateway {

constexpr std::chrono::seconds kShardAnswers{3};  // patience with shards, which answer at once

template <class Answer>
class Gathering {
 public:
  /// Any thread.
  void add(Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    changed_.notify_all();
  }
  /// Until there are `count` answers, or for `patience`: what has come. Once.
  std::vector<Answer> wait(std::size_t count, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return answers_.size() >= count; });
    return std::move(answers_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;
};

}  // namespace wake::gateway
