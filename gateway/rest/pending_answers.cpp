#include "gateway/rest/pending_answers.hpp"

#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

namespace wake::gateway::rest {

struct PendingAnswers::Way {
  std::mutex mutex;
  PendingAnswers* end = nullptr;  // null: gone; guarded by mutex
};

PendingAnswers::PendingAnswers(boost::asio::io_context& io) : io_(io), way_(std::make_shared<Way>()) {
  way_->end = this;
}

PendingAnswers::~PendingAnswers() {
  const std::lock_guard lock(way_->mutex);
  way_->end = nullptr;
}

Respond PendingAnswers::expect(std::shared_ptr<AnswerTaker> taker) {
  const std::uint64_t id = ++last_id_;
  waiting_.emplace(id, Waiting{std::move(taker), boost::asio::make_work_guard(io_)});
  return [way = way_, id](Response response) {
    const std::lock_guard lock(way->mutex);
    if (!way->end) return;
    boost::asio::post(way->end->io_, [end = way->end, id, response = std::move(response)]() mutable {
      end->hand_over(id, std::move(response));
    });
  };
}

void PendingAnswers::hand_over(std::uint64_t id, Response response) {
  const auto found = waiting_.extract(id);
  if (!found.empty()) found.mapped().taker->on_answer(std::move(response));
}

}  // namespace wake::gateway::rest
