// Keeps an OAuth access token good: asked for in the background 5 min before the old one ends, one request at
// a time, the old one used until the new one is there. Loop thread only; the exchange runs on a thread of its
// own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "push/event_loop.hpp"
#include "push/fcm/service_account.hpp"
#include "push/fcm/token_exchange.hpp"

namespace wake::push::fcm {

inline constexpr std::chrono::minutes kRefreshBefore{5};

/// Called on the loop's thread.
class AccessTokenEvents {
 public:
  virtual void on_token() = 0;
  /// `is_final`: the endpoint refused us; else it could not be asked. Asked again after a pause while there
  /// is demand.
  virtual void on_token_trouble(const std::string& why, bool is_final) = 0;

 protected:
  ~AccessTokenEvents() = default;
};

class AccessTokenSource {
 public:
  /// The blocking call; tests hand in their own.
  using Exchange =
      std::function<ExchangeResult(const ExchangeRequest&, const std::atomic<bool>& is_stopping)>;

  /// Throws std::runtime_error when the account's key is no RSA key. `events` must outlive this.
  AccessTokenSource(EventLoop& loop, ServiceAccount account, ExchangeRequest request,
                    AccessTokenEvents& events, Exchange exchange = exchange_assertion);
  /// Waits for a running exchange to notice (about a second).
  ~AccessTokenSource();

  /// There is something to send: make sure a token is there or on its way.
  void want(broker::Now now);
  /// "Bearer …", or null while there is none that still holds.
  const std::string* bearer(broker::SteadyTime now) const;
  /// The provider refused the token (401): forget it, unless it is so new that the refusal is about the one
  /// before.
  void refuse(broker::SteadyTime now);

 private:
  struct Worker;
  void start(broker::Now now);
  void on_result(ExchangeResult result);

  EventLoop& loop_;
  ServiceAccount account_;
  SigningKey key_;
  ExchangeRequest request_;
  AccessTokenEvents& events_;
  Exchange exchange_;
  std::shared_ptr<Worker> worker_;
  LoopTimer refresh_timer_;
  std::string bearer_;
  broker::SteadyTime granted_at_{};
  broker::SteadyTime ends_at_{};
  broker::SteadyTime not_before_{};  // pause after a failure
  std::chrono::seconds pause_{1};
};

}  // namespace wake::push::fcm
