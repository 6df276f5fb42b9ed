#include "gateway/listen/acceptor.hpp"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "gateway/listen/listening_socket.hpp"
#include "gateway/mqtt/tls_transport.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

bool has_waiting(int fd) {
  pollfd ask{fd, POLLIN, 0};
  return ::poll(&ask, 1, 0) > 0;
}

}  // namespace

Acceptor::Acceptor(FileDescriptor fd, ListenerRulesPtr rules, Admission& admission)
    : Pollable(Kind::Acceptor), fd_(std::move(fd)), rules_(std::move(rules)), admission_(admission) {}

void Acceptor::on_event(broker::Now now, const std::function<void(Arrival)>& take) {
  retry_at_.reset();
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    std::optional<Arrival> arrival = accept_one(now);
    if (!arrival) return;
    if (arrival->transport) take(std::move(*arrival));
  }
  retry_at_ = now.steady;  // there may be more
}

std::optional<Arrival> Acceptor::accept_one(broker::Now now) {
  if (!has_waiting(fd_.get())) return std::nullopt;
  Admission::Answer answer = admission_.admit(now.steady);
  if (!answer.place) {
    if (answer.is_full && !has_told_full_) {
      log(LogLevel::Warn, "listener.full",
          "limits.max_connections is reached: new clients wait until others leave");
    }
    has_told_full_ = answer.is_full;
    retry_at_ = answer.retry_at;
    return std::nullopt;
  }
  has_told_full_ = false;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  FileDescriptor fd(
      ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.is_open()) {
    const int error = errno;
    if (error == EAGAIN) return std::nullopt;
    if (error == ECONNABORTED || error == EINTR || error == EPROTO) return Arrival{};
    if (!has_told_exhausted_) {
      log(LogLevel::Error, "listener.exhausted",
          std::string("cannot accept: ") + std::strerror(error) +
              "; raise the limit of open files (ulimit -n)");
    }
    has_told_exhausted_ = true;
    retry_at_ = now.steady + kExhaustedPause;
    return std::nullopt;
  }
  has_told_exhausted_ = false;
  const std::string peer = peer_endpoint(address, length).text();
  if (!rules_->expects_proxy_header && !answer.place->claim(peer)) {
    log(LogLevel::Info, "listener.address_full",
        peer + ": closed, its address has limits.max_connections_per_address");
    return Arrival{};
  }
  return arrive(std::move(fd), peer, std::move(*answer.place));
}

Arrival Acceptor::arrive(FileDescriptor fd, const std::string& address, Admission::Place place) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Arrival arrival;
  arrival.facts = std::make_unique<broker::ListenerFacts>();
  arrival.facts->protocol = rules_->protocol;
  arrival.facts->address = address;
  arrival.facts->logins = rules_->logins;
  arrival.place = std::move(place);
  arrival.awaits_proxy_header = rules_->expects_proxy_header;
  arrival.has_shaken_hands = !rules_->tls && !rules_->websocket && !rules_->expects_proxy_header;
  arrival.transport =
      rules_->tls ? make_tls_transport(std::move(fd), rules_->tls) : make_plain_transport(std::move(fd));
  if (rules_->websocket)
    arrival.transport = make_websocket_transport(std::move(arrival.transport), *rules_->websocket);
  return arrival;
}

}  // namespace wake::gateway
