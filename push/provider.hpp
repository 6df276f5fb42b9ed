// The seam between the dispatcher and a provider's channel. apns/client and fcm/client are the real ones;
// tests have a fake.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "push/app_options.hpp"
#include "push/event_loop.hpp"
#include "push/notification.hpp"
#include "push/render.hpp"
#include "push/verdict.hpp"

namespace wake::push {

/// One try of one notification, unique in the process.
using Ticket = std::uint64_t;

/// Called on the loop's thread, never from inside a call into the provider.
class ProviderEvents {
 public:
  /// The one answer to a send.
  virtual void on_answer(Ticket ticket, Answer answer) = 0;
  /// room() may have changed.
  virtual void on_room() = 0;
  /// It cannot be reached at present; it goes on trying while there is demand. Nothing was lost.
  virtual void on_trouble(const std::string& why) = 0;
  /// It is reached again.
  virtual void on_recovered() = 0;
  /// The credential was refused before a push could be tried.
  virtual void on_refused(const std::string& why) = 0;

 protected:
  ~ProviderEvents() = default;
};

/// Loop thread only.
class Provider {
 public:
  virtual ~Provider() = default;
  /// There is something to send: connect, fetch a token.
  virtual void want() = 0;
  /// How many sends it takes now without queueing.
  virtual std::size_t room() const = 0;
  /// Renders and sends. Precondition: room() > 0.
  virtual void send(Ticket ticket, const Notification& notification, const RenderOptions& options) = 0;
  /// Sent and not answered.
  virtual std::size_t in_flight() const = 0;
};

/// Throws std::runtime_error saying which file or key of the configuration is wrong. `events` must outlive
/// the provider.
using ProviderFactory =
    std::function<std::unique_ptr<Provider>(EventLoop&, const AppOptions&, ProviderEvents&)>;

/// The real ones; channels with the same (team, key, environment) share a mint of provider tokens.
ProviderFactory make_provider_factory();

}  // namespace wake::push
