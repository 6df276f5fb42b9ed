#include "push/fcm/access_token.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace wake::push::fcm {
namespace {

constexpr std::chrono::seconds kLongestPause{60};
// Answers to requests that carried the token before may still come for as long as a request may take.
constexpr std::chrono::seconds kStaleRefusals{15};

}  // namespace

// Shared with the thread: outlives the source until the thread has said its last word.
struct AccessTokenSource::Worker {
  std::thread thread;
  std::atomic<bool> is_stopping{false};
  bool is_busy = false;  // loop thread only
};

AccessTokenSource::AccessTokenSource(EventLoop& loop, ServiceAccount account, ExchangeRequest request,
                                     AccessTokenEvents& events, Exchange exchange)
    : loop_(loop),
      account_(std::move(account)),
      key_(SigningKey::Algorithm::Rs256, account_.private_key),
      request_(std::move(request)),
      events_(events),
      exchange_(std::move(exchange)),
      worker_(std::make_shared<Worker>()),
      refresh_timer_(loop) {}

AccessTokenSource::~AccessTokenSource() {
  worker_->is_stopping = true;
  if (worker_->thread.joinable()) worker_->thread.join();
}

void AccessTokenSource::want(broker::Now now) {
  const bool is_fresh =
      !bearer_.empty() &&
      now.steady < ends_at_ - std::min<broker::Duration>(kRefreshBefore, (ends_at_ - granted_at_) / 2);
  if (is_fresh || worker_->is_busy) return;
  if (now.steady < not_before_) {
    refresh_timer_.start_at(not_before_, [this] { want(EventLoop::now()); });
    return;
  }
  start(now);
}

const std::string* AccessTokenSource::bearer(broker::SteadyTime now) const {
  return bearer_.empty() || now >= ends_at_ ? nullptr : &bearer_;
}

void AccessTokenSource::refuse(broker::SteadyTime now) {
  if (now - granted_at_ >= kStaleRefusals) bearer_.clear();
}

void AccessTokenSource::start(broker::Now now) {
  ExchangeRequest request = request_;
  request.token_uri = account_.token_uri;
  request.assertion = make_assertion(account_, key_, now.utc);
  if (worker_->thread.joinable()) worker_->thread.join();  // it has posted its result: over
  worker_->is_busy = true;
  worker_->thread = std::thread(
      [this, worker = worker_, request = std::move(request), exchange = exchange_, &loop = loop_] {
        ExchangeResult result = exchange(request, worker->is_stopping);
        loop.post([this, worker, result = std::move(result)] {
          if (worker->is_stopping) return;  // `this` is gone
          worker->is_busy = false;
          on_result(result);
        });
      });
}

void AccessTokenSource::on_result(ExchangeResult result) {
  const auto now = std::chrono::steady_clock::now();
  if (result.kind == ExchangeResult::Kind::Granted) {
    bearer_ = "Bearer " + result.access_token;
    granted_at_ = now;
    ends_at_ = now + result.expires_in;
    pause_ = std::chrono::seconds{1};
    events_.on_token();
    return;
  }
  const bool is_final = result.kind == ExchangeResult::Kind::Refused;
  not_before_ = now + (is_final ? kLongestPause : pause_);
  pause_ = std::min(pause_ * 2, kLongestPause);
  events_.on_token_trouble(result.detail, is_final);
}

}  // namespace wake::push::fcm
