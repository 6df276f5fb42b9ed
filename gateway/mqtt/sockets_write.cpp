// Sockets: from the machine's Outbounds to the descriptor, and how a socket ends.
#include "gateway/listen/listening_socket.hpp"
#include "gateway/mqtt/sockets.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {
/// For the log, once the machine has the facts.
std::string peer_of(const Transport& transport) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getpeername(transport.fd(), reinterpret_cast<sockaddr*>(&address), &length);
  return peer_endpoint(address, length).text();
}

}  // namespace

bool Sockets::write_touched(broker::Now now) {
  const std::vector<broker::ConnectionId> touched = broker_.take_touched();
  for (const broker::ConnectionId id : touched) {
    Socket* const socket = find(id);
    if (socket != nullptr && !socket->is_blocked) write(*socket, now);
  }
  return !touched.empty();
}

bool Sockets::write(Socket& socket, broker::Now now) {
  if (socket.phase != Socket::Phase::Open && socket.phase != Socket::Phase::Flushing) return false;
  broker::Outbound& output = broker_.output(socket.connection);
  std::size_t written = 0;
  while (!output.is_empty()) {
    const std::size_t count = output.gather(pieces_.data(), pieces_.size());
    const Transport::Written result = socket.transport->write({pieces_.data(), count});
    output.consume(result.bytes);
    written += result.bytes;
    counters_.bytes_sent += result.bytes;
    if (result.state == Transport::Written::State::Failed) {
      lose(socket, now);
      return false;
    }
    if (result.state == Transport::Written::State::Blocked) {
      socket.is_blocked = true;
      break;
    }
  }
  if (socket.phase == Socket::Phase::Flushing) {
    if (output.is_empty()) end(socket, now);
  } else if (written > 0) {
    broker_.on_written(socket.connection, now);
  }
  return written > 0;
}

void Sockets::close(broker::ConnectionId id, const std::string& reason, broker::Now now) {
  Socket* const socket = find(id);
  if (socket == nullptr || socket->phase != Socket::Phase::Open) return;
  if (is_logged(LogLevel::Debug)) {
    log(LogLevel::Debug, "socket.closing",
        "descriptor " + std::to_string(socket->transport->fd()) + ": " + reason);
  }
  socket->phase = Socket::Phase::Flushing;
  std::vector<std::byte>().swap(socket->rest);
  flushing_.push_back({now.steady + kFlushTimeout, socket->slot, socket->generation});
  if (!socket->is_blocked) write(*socket, now);
}

void Sockets::lose(Socket& socket, broker::Now now) {
  broker_.on_closed(socket.connection, now);
  discard(socket);
}

void Sockets::end(Socket& socket, broker::Now now) {
  // The machine forgets it; the descriptor lingers, because closing with unread bytes would reset the
  // connection and could take our last packet with it.
  if (socket.has_ended) return lose(socket, now);
  broker_.on_closed(socket.connection, now);
  linger(socket, now);
}

void Sockets::break_off(Socket& socket, broker::Now now) {
  const std::string why = socket.transport->failure();
  ++counters_.frames_malformed;
  log(LogLevel::Info, "websocket.malformed", peer_of(*socket.transport) + ": " + why);
  broker_.on_closed(socket.connection, now, why.c_str());
  linger(socket, now);
}

void Sockets::linger(Socket& socket, broker::Now now) {
  unlink(socket);
  socket.connection = {};
  socket.facts.reset();
  std::vector<std::byte>().swap(socket.rest);
  socket.phase = Socket::Phase::Draining;
  socket.transport->end_writing();
  draining_.push_back({now.steady + kDrainTimeout, socket.slot, socket.generation});
  socket.is_readable = true;
  list(socket);
}

}  // namespace wake::gateway
