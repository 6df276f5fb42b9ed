// Sockets: from the descriptor to the machine.
#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include "broker-core/packet/frame.hpp"
#include "gateway/mqtt/sockets.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

/// From here on a packet's beginning stays where it is and the socket is read behind it, instead of being
/// carried into the buffer again and again.
constexpr std::size_t kReadInPlace = 16 * 1024;

/// The machine takes whole packets unless it is paused, so a whole one left over means that it is. (A frame
/// it refuses is never left over.)
bool begins_with_whole_packet(broker::Bytes rest) {
  constexpr std::uint32_t kAny = 0xFFFFFFFF;
  return !rest.empty() && std::holds_alternative<broker::Frame>(broker::take_frame(rest, kAny));
}

}  // namespace

void Sockets::enter(Socket& socket, broker::Now now) {
  socket.phase = Socket::Phase::Open;
  socket.connection = broker_.accept(*socket.facts, now);
  const std::uint32_t slot = broker::slot_of(socket.connection);
  if (slot >= by_connection_.size()) by_connection_.resize(slot + 1);
  // The machine frees a slot with the effect Handover, so it can be in use again before the effect is carried
  // out.
  if (by_connection_[slot] != nullptr) displaced_.push_back(by_connection_[slot]);
  by_connection_[slot] = &socket;
  // The poller tells once what is there; bytes may have come with the handshake, or before a handover.
  socket.is_readable = true;
  list(socket);
  if (!socket.rest.empty()) feed_rest(socket, now);
}

void Sockets::read_ready(broker::Now now) {
  reading_.swap(ready_);
  for (Socket* const socket : reading_) socket->is_listed = false;
  for (Socket* const socket : reading_) {
    switch (socket->phase) {
      case Socket::Phase::Handshaking:
        shake_hands(*socket, now);
        break;
      case Socket::Phase::Open:
        if (socket->is_readable && !socket->is_paused) read(*socket, now);
        break;
      case Socket::Phase::Flushing:
        if (socket->is_readable) hear_out(*socket, now);
        break;
      case Socket::Phase::Draining:
        if (socket->is_readable) drain(*socket);
        break;
      case Socket::Phase::Gone:
        break;
    }
  }
  reading_.clear();
}

void Sockets::read(Socket& socket, broker::Now now) {
  const std::size_t before = socket.rest.size();
  const bool in_place = before > kReadInPlace;
  if (in_place) {
    socket.rest.resize(before + kReadBytes);
  } else if (before > 0) {
    std::memcpy(buffer_.data(), socket.rest.data(), before);
  }
  std::byte* const base = in_place ? socket.rest.data() : buffer_.data();
  const std::size_t room = in_place ? kReadBytes : buffer_.size() - before;
  const Transport::Read got = socket.transport->read({base + before, room});
  // What another shard told us before the peer could know of it must be known before the peer's bytes are
  // looked at.
  take_mail_();
  // The end of the stream, once announced, is behind the bytes of a short read, and is announced no second
  // time.
  socket.is_readable = got.state != Transport::Read::State::Drained || (socket.is_hung_up && got.bytes > 0);
  socket.has_ended =
      got.state == Transport::Read::State::Ended || got.state == Transport::Read::State::Failed;
  if (got.bytes > 0) {
    feed(socket, {base, before + got.bytes}, now);
  } else if (in_place) {
    socket.rest.resize(before);
  }
  if (socket.phase != Socket::Phase::Open) return;
  if (got.state == Transport::Read::State::Violated) return break_off(socket, now);
  const bool has_failed = got.state == Transport::Read::State::Failed;
  if (has_failed || (socket.has_ended && !socket.is_paused)) return lose(socket, now);
  if (socket.is_readable && !socket.is_paused && !socket.has_ended) list(socket);
}

bool Sockets::is_on_wrong_listener(const Socket& socket, broker::Bytes in) const {
  // RFC 8446 §5.1: a TLS record of type handshake, version 3.x. No MQTT packet begins so: type 1 has flags 0.
  return !socket.transport->is_tls() && in.size() >= 2 && in[0] == std::byte{0x16} &&
         in[1] == std::byte{0x03};
}

void Sockets::feed(Socket& socket, broker::Bytes in, broker::Now now) {
  if (socket.facts && is_on_wrong_listener(socket, in)) {
    ++counters_.wrong_listener;
    log(LogLevel::Info, "socket.wrong_listener",
        socket.facts->address +
            ": TLS bytes on a plain listener; TLS clients belong on the mqtts listener (8883)");
    socket.rest.clear();
    return lose(socket, now);
  }
  const std::size_t taken = broker_.on_bytes(socket.connection, in, now);
  if (taken > 0) socket.facts.reset();
  keep_rest(socket, in.subspan(taken));
  socket.is_paused = begins_with_whole_packet(socket.rest);
}

void Sockets::keep_rest(Socket& socket, broker::Bytes rest) {
  auto& kept = socket.rest;
  if (rest.empty()) {
    std::vector<std::byte>().swap(kept);
  } else if (!kept.empty() && rest.data() >= kept.data() && rest.data() < kept.data() + kept.size()) {
    // Read in place: what is taken goes off the front, what was not filled off the back.
    const auto first = kept.begin() + (rest.data() - kept.data());
    kept.erase(first + static_cast<std::ptrdiff_t>(rest.size()), kept.end());
    kept.erase(kept.begin(), first);
  } else {
    kept.assign(rest.begin(), rest.end());
  }
}

void Sockets::feed_rest(Socket& socket, broker::Now now) {
  // Its own memory, because the machine's answers may make us touch `rest`.
  const std::vector<std::byte> rest = std::move(socket.rest);
  socket.rest.clear();
  feed(socket, rest, now);
  if (socket.phase != Socket::Phase::Open || socket.is_paused) return;
  if (socket.has_ended) return lose(socket, now);
  if (socket.is_readable) list(socket);
}

void Sockets::resume(broker::ConnectionId id, broker::Now now) {
  Socket* const socket = find(id);
  if (socket == nullptr || socket->phase != Socket::Phase::Open) return;
  socket->is_paused = false;
  feed_rest(*socket, now);
}

/// TLS may have to read before it can write the rest, and a WebSocket has Pings to answer.
void Sockets::hear_out(Socket& socket, broker::Now now) {
  using State = Transport::Read::State;
  const Transport::Read got = socket.transport->read(buffer_);
  socket.is_readable = got.state == State::More || (socket.is_hung_up && got.bytes > 0);
  socket.has_ended = got.state != State::More && got.state != State::Drained;
  if (got.state == State::Failed) return lose(socket, now);
  if (socket.is_readable) list(socket);
}

/// Whatever it is wrapped in, nobody will look at it.
void Sockets::drain(Socket& socket) {
  const ssize_t got = ::recv(socket.transport->fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    socket.is_readable = errno == EINTR;
  } else {
    if (got <= 0) return discard(socket);
    socket.drained_bytes += static_cast<std::uint32_t>(got);
    if (socket.drained_bytes > kDrainBytes) return discard(socket);
  }
  if (socket.is_readable) list(socket);
}

}  // namespace wake::gateway
