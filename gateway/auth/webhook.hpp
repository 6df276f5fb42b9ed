// The operator's back end behind [auth] webhook_url, asked about log-ins that nothing here knows: who shows
// what, from where. Its verdicts are cached; what cannot be had in time is a refusal (fails closed).
//
// Asking blocks for as long as the back end takes, at most webhook_timeout. So who needs it goes on in a
// thread of its own here (post), and neither a shard nor any other log-in ever waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "db/account_grants.hpp"
#include "gateway/auth/secret.hpp"
#include "gateway/auth/webhook_status.hpp"

namespace wake::gateway {

/// docs/identity.md has it as JSON.
struct WebhookQuestion {
  std::string username;
  Secret password;
  std::string client_id;  // MQTT; empty over REST
  std::string address;    // peer without its port
  std::string protocol;   // of the listener: "mqtt", "wss", "http" …
};

struct WebhookVerdict {
  bool is_allowed = false;
  bool is_device = false;  // else a user
};

struct WebhookAnswer {
  WebhookVerdict verdict;
  std::vector<db::AclRow> rules;  // allowed: what it may do beyond its own devices; may hold %u and %c
};

class Webhook {
 public:
  static constexpr int kThreads = 16;               // questions under way at a time
  static constexpr std::size_t kMaxWaiting = 2000;  // log-ins that wait for a thread; one more is turned away
  static constexpr std::size_t kMaxVerdicts = 50'000;  // cached; the longest unused is forgotten
  static constexpr std::size_t kMaxAnswerBytes = 16 * 1024;
  static constexpr std::size_t kMaxRules = 100;

  explicit Webhook(const config::AuthOptions& options);
  /// stop().
  ~Webhook();

  /// A verdict that is still believed. Thread: any.
  std::optional<WebhookVerdict> known(const WebhookQuestion& question);
  /// Blocks. nullopt: no answer in time, or none that can be understood; logged.
  std::optional<WebhookAnswer> ask(const WebhookQuestion& question);
  /// For webhook_cache from now on. Apart from ask(), since what an answer gives is to be stored first.
  void remember(const WebhookQuestion& question, WebhookVerdict verdict);

  /// Runs `work`, which may ask(), on one of kThreads. False: kMaxWaiting wait already, or stop() was called.
  /// `work` must not throw. Thread: any.
  bool post(std::function<void()> work);
  /// Thread: any.
  WebhookStatus status() const;
  /// Questions under way end within about a second without an answer; what waits is run, and finds none.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One answer, understood. nullopt: it is not one; `why` says what is wrong. Pure.
std::optional<WebhookAnswer> read_webhook_answer(long status, const std::string& body, std::string& why);

}  // namespace wake::gateway
