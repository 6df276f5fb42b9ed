// The push side as the gateway sees it: hand in notifications, get every one of them resolved in the outbox.
// One thread of its own; every function may be called from any thread unless it says otherwise. The decisions
// are DispatchMachine's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "push/app_options.hpp"
#include "push/dispatch_machine.hpp"
#include "push/log.hpp"
#include "push/outbox.hpp"
#include "push/provider.hpp"

namespace wake::push {

struct DispatcherOptions {
  DispatchLimits limits;
  ProviderFactory make_provider = make_provider_factory();
};

/// What the provider said to POST …/phones/{id}/test.
struct TestResult {
  Verdict verdict = Verdict::Accepted;
  int status = 0;  // HTTP; 0: it was not answered, `reason` says why
  std::string reason;
  std::string provider_id;
};

struct DispatcherStatus {
  std::vector<ChannelStatus> channels;  // one per [[push.app]]
  std::size_t in_memory = 0;
};

class Dispatcher {
 public:
  /// Starts the thread. An entry whose files cannot be used does not stop the others: its channel is down and
  /// says why. `outbox` must outlive the dispatcher. `log` is called from the dispatcher's thread.
  Dispatcher(std::vector<AppOptions> apps, DispatcherOptions options, Outbox& outbox, LogSink log);
  /// Stops as stop() would, waiting for nobody.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Once, before the first submit(): what a former process left waiting is not overtaken by what comes now.
  /// Returns when that is known.
  void expect(std::vector<WaitingAlert> alerts);
  /// Takes them over: each is resolved exactly once more, RetryAt aside. A key that is already here is
  /// ignored; what does not fit in memory is Released at once. Rows must be claimed by this node.
  void submit(std::vector<Notification> notifications);
  /// Acknowledged, or no longer permitted. Before it leaves: Cancelled. Afterwards: only not repeated.
  void cancel(NotificationKey key);
  /// Token, account or entries of this phone changed: what waits for it is Released, to be claimed as it is
  /// then.
  void recall(broker::PhoneId phone);
  /// Sends it past the outbox; `done` is called once, from the dispatcher's thread, within about 20 s, and as
  /// soon as the provider is known to be out of reach. Only notification.token, .message and .entry matter.
  void test(Notification notification, std::function<void(TestResult)> done);
  /// As of now; at most 1 s old knowledge when the thread is busy. Not from within `done` or `log`.
  DispatcherStatus status();
  /// SIGHUP: every channel gets fresh credentials and new connections; what is in flight is still answered on
  /// the old ones.
  void reload(std::vector<AppOptions> apps);
  /// Sends nothing more, waits for what is in flight until `deadline`, releases the rest, closes. Idempotent.
  void stop(broker::SteadyTime deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::push
