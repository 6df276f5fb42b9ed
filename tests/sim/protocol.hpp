// One HTTP protocol on one connection, without its socket: bytes in, bytes out, whole requests up, replies
// down.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

class ProtocolEvents {
 public:
  virtual ~ProtocolEvents() = default;
  /// A whole request. May answer at once or later, by stream.
  virtual void on_request(Request) = 0;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Takes received bytes; calls on_request from inside. False: the peer broke the protocol, flush and close.
  virtual bool feed(std::string_view bytes) = 0;
  /// Appends what has to be sent.
  virtual void drain(std::string& out) = 0;
  /// True once nothing more will come or go (GOAWAY done, "Connection: close" answered).
  virtual bool finished() const = 0;
  /// The stream still waits for its answer.
  virtual bool waits(std::int32_t stream) const = 0;
  virtual void respond(std::int32_t stream, Reply) = 0;
  virtual void reset(std::int32_t stream, std::uint32_t code) = 0;
  /// GOAWAY with those bytes as debug data; streams above `last_stream` are dropped as never seen.
  virtual void go_away(std::int32_t last_stream, const std::string& debug) = 0;
  /// The stream id under which only `keep` of the waiting streams, the oldest, would be answered.
  virtual std::int32_t last_stream_keeping(std::size_t keep) const = 0;
  virtual void set_stream_limit(std::uint32_t streams) = 0;
};

/// HTTP/2 (RFC 9113) over nghttp2. Sends its SETTINGS first, with that limit.
std::unique_ptr<Protocol> make_http2(ConnectionId, std::uint32_t stream_limit, ProtocolEvents&);
/// HTTP/1.1, for clients of the OAuth token endpoint that speak nothing newer.
std::unique_ptr<Protocol> make_http1(ConnectionId, ProtocolEvents&);

}  // namespace wake::sim
