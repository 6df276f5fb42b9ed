// Requests that wait for their answer. It comes from a worker, or later from a thread that the server does
// not own and that may still run when the server is gone; either way it crosses to the io thread here.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

class AnswerTaker {
 public:
  virtual ~AnswerTaker() = default;
  /// io thread.
  virtual void on_answer(Response response) = 0;
};

class PendingAnswers {
 public:
  explicit PendingAnswers(boost::asio::io_context& io);
  /// From now on answers go nowhere.
  ~PendingAnswers();
  PendingAnswers(const PendingAnswers&) = delete;
  PendingAnswers& operator=(const PendingAnswers&) = delete;

  /// io thread. Holds `taker`, and keeps the io thread running, until the first answer was handed to it. What
  /// is returned may be called from any thread and outlive the server.
  Respond expect(std::shared_ptr<AnswerTaker> taker);
  /// io thread, at a stop: nobody waits any more.
  void drop_all() { waiting_.clear(); }

 private:
  struct Way;
  struct Waiting {
    std::shared_ptr<AnswerTaker> taker;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keeps_running;
  };
  void hand_over(std::uint64_t id, Response response);

  boost::asio::io_context& io_;
  std::shared_ptr<Way> way_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::uint64_t last_id_ = 0;
};

}  // namespace wake::gateway::rest
