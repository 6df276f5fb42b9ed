// HTTP/2 to one origin, for APNs and FCM alike: keeps a connection when there is demand, drains it when the
// peer says GOAWAY while a new one takes over, backs off when it cannot connect. It reports and never repeats
// a request: the outbox is the only retry loop. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "push/endpoint.hpp"
#include "push/event_loop.hpp"
#include "push/http2_types.hpp"

namespace wake::push {

struct Http2ClientOptions {
  Endpoint endpoint;
  std::optional<Endpoint> proxy;  // HTTP CONNECT
  std::string ca_file;            // empty: the system's roots
  std::string cert_file;          // client certificate; empty: none
  std::string cert_key_file;
  std::size_t max_in_flight = 500;
  bool is_first_alone = false;  // see Http2SessionOptions
  broker::Duration request_timeout = std::chrono::seconds{20};
  broker::Duration ping_after{};  // zero: never
  broker::Duration connect_timeout = std::chrono::seconds{10};
  broker::Duration first_back_off = std::chrono::seconds{1};  // doubles to longest_back_off
  broker::Duration longest_back_off = std::chrono::seconds{60};
};

/// Called on the loop's thread, never from inside a call into the client.
class Http2ClientEvents {
 public:
  virtual void on_http2_answer(RequestTag tag, Http2Answer answer) = 0;
  /// room() may have changed.
  virtual void on_http2_room() = 0;
  /// A connection could not be made or broke before it answered anything; tried again after the back-off
  /// while there is demand. `why` begins with host and port.
  virtual void on_http2_trouble(const std::string& why) = 0;
  /// It answers (again).
  virtual void on_http2_connected() = 0;

 protected:
  ~Http2ClientEvents() = default;
};

class Http2Client {
 public:
  /// `events` must outlive the client. Throws std::runtime_error naming a file that cannot be used.
  Http2Client(EventLoop& loop, Http2ClientOptions options, Http2ClientEvents& events);
  /// Closes at once, without further events.
  ~Http2Client();
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  /// There is something to send: connect unless connected, connecting or backing off.
  void want();
  /// How many requests may be submitted now.
  std::size_t room() const;
  /// The connection that the next request goes to, 0 when there is none; never used twice.
  std::uint64_t connection_id() const;
  /// Precondition: room() > 0.
  void submit(RequestTag tag, const Http2Request& request);
  /// No new request on this connection; it closes after its last answer. Another id: nothing.
  void retire(std::uint64_t connection_id);
  std::size_t in_flight() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wake::push
