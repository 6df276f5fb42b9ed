// The table of sockets and their deadlines. Reading is in sockets_read.cpp, writing and ending in
// sockets_write.cpp.
#include "gateway/mqtt/sockets.hpp"

#include <algorithm>

#include "gateway/observe/log.hpp"

namespace wake::gateway {

Sockets::Sockets(broker::Broker& broker, Poller& poller, std::chrono::milliseconds connect_timeout,
                 std::function<void()> take_mail)
    : broker_(broker),
      poller_(poller),
      connect_timeout_(connect_timeout),
      take_mail_(std::move(take_mail)),
      buffer_(kReadBytes) {}

Sockets::~Sockets() = default;

Socket& Sockets::make_socket() {
  auto slot = static_cast<std::uint32_t>(sockets_.size());
  if (free_slots_.empty()) {
    sockets_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  sockets_[slot] = std::make_unique<Socket>();
  sockets_[slot]->slot = slot;
  sockets_[slot]->generation = next_generation_++;
  return *sockets_[slot];
}

Socket* Sockets::find(broker::ConnectionId id) const {
  if (id == broker::ConnectionId{}) return nullptr;
  const std::uint32_t slot = broker::slot_of(id);
  Socket* const socket = slot < by_connection_.size() ? by_connection_[slot] : nullptr;
  if (socket != nullptr && socket->connection == id) return socket;
  const auto displaced = std::ranges::find(displaced_, id, &Socket::connection);
  return displaced == displaced_.end() ? nullptr : *displaced;
}

Socket* Sockets::find(const Deadline& deadline) const {
  Socket* const socket = deadline.slot < sockets_.size() ? sockets_[deadline.slot].get() : nullptr;
  return socket != nullptr && socket->generation == deadline.generation ? socket : nullptr;
}

void Sockets::adopt(Arrival arrival, broker::Now now) {
  Socket& socket = make_socket();
  socket.transport = std::move(arrival.transport);
  socket.facts = std::move(arrival.facts);
  if (socket.facts->accepted_at == broker::SteadyTime{}) socket.facts->accepted_at = now.steady;
  socket.place = std::move(arrival.place);
  socket.rest = std::move(arrival.rest);
  socket.has_ended = arrival.has_ended;
  if (!poller_.add(socket.transport->fd(), socket)) {
    log(LogLevel::Error, "socket.not_watched",
        socket.facts->address + ": the system takes no more descriptors to watch");
    discard(socket);
    return;
  }
  socket.awaits_proxy_header = arrival.awaits_proxy_header;
  if (arrival.has_shaken_hands) {
    enter(socket, now);
    return;
  }
  handshaking_.push_back({now.steady + connect_timeout_, socket.slot, socket.generation});
  shake_hands(socket, now);
}

void Sockets::on_event(Pollable& pollable, std::uint32_t events, broker::Now now) {
  auto& socket = static_cast<Socket&>(pollable);
  if (socket.phase == Socket::Phase::Gone) return;
  constexpr std::uint32_t kHungUp = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kHungUp) != 0) socket.is_hung_up = true;
  // TLS may have to write (a key update) before it can read on.
  const bool may_read = (events & (EPOLLIN | kHungUp)) != 0 || socket.transport->is_tls();
  if (may_read) {
    socket.is_readable = true;
    list(socket);
  }
  if (socket.phase == Socket::Phase::Handshaking) {
    list(socket);
  } else if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && socket.is_blocked) {
    socket.is_blocked = false;
    write(socket, now);
  } else if ((events & EPOLLOUT) != 0 && socket.phase == Socket::Phase::Open) {
    socket.transport->flush();
  }
}

void Sockets::list(Socket& socket) {
  if (socket.is_listed) return;
  socket.is_listed = true;
  ready_.push_back(&socket);
}

std::optional<Arrival> Sockets::take(broker::ConnectionId id) {
  Socket* const socket = find(id);
  if (socket == nullptr) return std::nullopt;
  poller_.remove(socket->transport->fd());
  Arrival arrival{std::move(socket->transport),
                  std::move(socket->facts),
                  std::move(socket->place),
                  std::move(socket->rest),
                  true,
                  socket->has_ended,
                  false};
  discard(*socket);
  return arrival;
}

void Sockets::discard(Socket& socket) {
  if (socket.phase == Socket::Phase::Gone) return;
  socket.phase = Socket::Phase::Gone;
  unlink(socket);
  socket.transport.reset();  // closes, and with that leaves the poller
  socket.place = {};
  gone_.push_back(&socket);
}

void Sockets::unlink(const Socket& socket) {
  const std::uint32_t slot = broker::slot_of(socket.connection);
  if (slot < by_connection_.size() && by_connection_[slot] == &socket) by_connection_[slot] = nullptr;
  std::erase(displaced_, &socket);
}

void Sockets::end_round() {
  if (gone_.empty()) return;
  std::erase_if(ready_, [](const Socket* socket) { return socket->phase == Socket::Phase::Gone; });
  for (Socket* const socket : gone_) {
    const std::uint32_t slot = socket->slot;
    sockets_[slot].reset();
    free_slots_.push_back(slot);
  }
  gone_.clear();
}

std::optional<broker::SteadyTime> Sockets::next_deadline() const {
  std::optional<broker::SteadyTime> next;
  for (const Deadlines* deadlines : {&handshaking_, &flushing_, &draining_}) {
    if (!deadlines->empty() && (!next || deadlines->front().due < *next)) next = deadlines->front().due;
  }
  return next;
}

void Sockets::on_deadline(broker::Now now) {
  const auto each_due = [&](Deadlines& deadlines, Socket::Phase phase, auto&& act) {
    while (!deadlines.empty() && deadlines.front().due <= now.steady) {
      Socket* const socket = find(deadlines.front());
      deadlines.pop_front();
      if (socket != nullptr && socket->phase == phase) act(*socket);
    }
  };
  each_due(handshaking_, Socket::Phase::Handshaking,
           [&](Socket& socket) { time_out_handshake(socket, now); });
  each_due(flushing_, Socket::Phase::Flushing, [&](Socket& socket) {
    ++counters_.flush_timeouts;
    lose(socket, now);
  });
  each_due(draining_, Socket::Phase::Draining, [&](Socket& socket) { discard(socket); });
}

}  // namespace wake::gateway
