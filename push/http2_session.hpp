// One HTTP/2 connection as a machine (RFC 9113, client side, over nghttp2): bytes in, bytes and answers out.
// No socket, no clock: time is passed in. The shell around it is http2_connection.cpp.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "push/http2_types.hpp"

struct nghttp2_session;

namespace wake::push {

struct Http2SessionOptions {
  std::string authority;
  std::size_t max_in_flight = 500;
  /// APNs with a provider token: one stream only until a request has been answered with something but 401 or
  /// 403.
  bool is_first_alone = false;
  broker::Duration request_timeout = std::chrono::seconds{20};
  /// Nothing read for this long: PING. Zero: never.
  broker::Duration ping_after{};
  broker::Duration ping_timeout = std::chrono::seconds{10};
};

class Http2Session {
 public:
  Http2Session(Http2SessionOptions options, broker::SteadyTime now);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// How many requests may be submitted now: the peer's current limit and ours, less what is open. 0 before
  /// its SETTINGS, while draining, and after an error.
  std::size_t room() const;
  /// Opens a stream. Precondition: room() > 0.
  void submit(RequestTag tag, const Http2Request& request, broker::SteadyTime now);
  /// Bytes from the peer, any split. After it ask for output, answers and is_over().
  void on_bytes(broker::Bytes bytes, broker::SteadyTime now);
  /// Request timeouts and PING.
  void on_time(broker::SteadyTime now);
  std::optional<broker::SteadyTime> next_deadline() const;
  /// Appends what the peer must be sent, at least one frame of it, roughly up to `wanted` bytes.
  void take_output(std::string& out, std::size_t wanted);
  /// What was answered, refused or given up since the last call.
  std::vector<std::pair<RequestTag, Http2Answer>> take_answers() { return std::exchange(answers_, {}); }
  /// No new requests; GOAWAY is sent when the last one is answered.
  void drain();
  /// The connection is gone: whatever is open is Lost.
  void fail_open(const std::string& why);

  bool is_ready() const { return has_settings_; }
  bool is_draining() const { return is_draining_; }
  /// Nothing more will come of it: close the socket. `failure` says why, GOAWAY's reason included.
  bool is_over() const;
  const std::string& failure() const { return failure_; }
  bool has_answered() const { return has_answered_; }
  std::size_t in_flight() const { return streams_.size(); }

 private:
  struct Callbacks;
  struct Stream {
    RequestTag tag = 0;
    std::string body;
    std::size_t sent = 0;
    Http2Answer answer;
  };
  void finish(std::int32_t stream_id, Http2Answer::Outcome outcome, const char* failure);
  void break_off(std::string why);
  void time_out_requests(broker::SteadyTime now);
  void check_ping(broker::SteadyTime now);
  void close_if_drained();

  Http2SessionOptions options_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::deque<std::pair<broker::SteadyTime, std::int32_t>>
      timeouts_;  // in order: every request has the same timeout
  std::vector<std::pair<RequestTag, Http2Answer>> answers_;
  broker::SteadyTime last_read_;
  std::optional<broker::SteadyTime> ping_deadline_;
  bool has_settings_ = false;
  bool is_wide_ = false;      // more than one stream is allowed
  bool is_draining_ = false;  // GOAWAY either way, or ids used up
  bool is_goaway_sent_ = false;
  bool is_broken_ = false;
  bool has_answered_ = false;
  std::string failure_;
};

}  // namespace wake::push
