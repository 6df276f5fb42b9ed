// Sockets: what precedes the first MQTT byte. In this order, each where the listener has it: a PROXY header,
// TLS, the request that opens a WebSocket. All of it within connect_timeout of the accept.
#include <cerrno>

#include <sys/socket.h>

#include "gateway/listen/proxy_header.hpp"
#include "gateway/mqtt/sockets.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

/// Where a handshake stands, and how its end there is told and counted.
struct Stage {
  const char* refused;
  const char* timed_out;
  const char* missing;
  std::uint64_t SocketCounters::*refused_count;
  std::uint64_t SocketCounters::*timed_out_count;
};

constexpr Stage kProxyStage{"proxy.refused", "proxy.timed_out", "no whole PROXY header",
                            &SocketCounters::proxy_headers_refused, &SocketCounters::proxy_headers_timed_out};
constexpr Stage kTlsStage{"tls.handshake_failed", "tls.handshake_timed_out", "no handshake",
                          &SocketCounters::handshakes_failed, &SocketCounters::handshakes_timed_out};
constexpr Stage kWebSocketStage{"websocket.refused", "websocket.timed_out", "no whole HTTP request",
                                &SocketCounters::upgrades_refused, &SocketCounters::upgrades_timed_out};

const Stage& stage_of(const Socket& socket) {
  if (socket.awaits_proxy_header) return kProxyStage;
  return socket.transport->layer() == Transport::Layer::WebSocket ? kWebSocketStage : kTlsStage;
}

}  // namespace

void Sockets::shake_hands(Socket& socket, broker::Now now) {
  if (socket.awaits_proxy_header && !take_proxy_header(socket, now)) return;
  switch (socket.transport->shake_hands()) {
    case Transport::Handshake::Done:
      if (std::string name = socket.transport->certificate_cn(); !name.empty())
        socket.facts->certificate_cn = std::move(name);
      return enter(socket, now);
    case Transport::Handshake::Pending:
      return;
    case Transport::Handshake::Failed:
      return refuse_handshake(socket, socket.transport->failure(), socket.transport->has_received(), now);
  }
}

bool Sockets::take_proxy_header(Socket& socket, broker::Now now) {
  const int fd = socket.transport->fd();
  // Left where it is until it is whole: no memory for who sends half, and TLS reads on right behind it.
  const ssize_t got = ::recv(fd, buffer_.data(), kMaxProxyHeader, MSG_PEEK);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got <= 0) {
    refuse_handshake(socket, "connection closed", false, now);
    return false;
  }
  const ProxyResult result = parse_proxy_header({buffer_.data(), static_cast<std::size_t>(got)});
  if (const auto* refusal = std::get_if<ProxyRefusal>(&result)) {
    refuse_handshake(socket, refusal->why, true, now);
    return false;
  }
  const auto* header = std::get_if<ProxyHeader>(&result);
  if (header == nullptr) {
    if (socket.is_hung_up) refuse_handshake(socket, "connection closed in the middle of it", true, now);
    return false;
  }
  ::recv(fd, buffer_.data(), header->bytes, 0);
  socket.awaits_proxy_header = false;
  if (!header->address.empty()) socket.facts->address = header->address;
  socket.facts->certificate_cn = header->certificate;
  if (socket.place.claim(socket.facts->address)) return true;
  log(LogLevel::Info, "listener.address_full",
      socket.facts->address + ": closed, its address has limits.max_connections_per_address");
  discard(socket);
  return false;
}

void Sockets::refuse_handshake(Socket& socket, const std::string& why, bool has_received, broker::Now now) {
  const Stage& stage = stage_of(socket);
  ++(counters_.*stage.refused_count);
  // Who never sent anything is a port scan, or somebody's health check.
  log(has_received ? LogLevel::Info : LogLevel::Debug, stage.refused, socket.facts->address + ": " + why);
  linger(socket, now);
}

void Sockets::time_out_handshake(Socket& socket, broker::Now now) {
  const Stage& stage = stage_of(socket);
  ++(counters_.*stage.timed_out_count);
  log(LogLevel::Info, stage.timed_out,
      socket.facts->address + ": " + stage.missing + " within connect_timeout");
  linger(socket, now);
}

}  // namespace wake::gateway
