#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

#include "gateway/mqtt/transport.hpp"

namespace wake::gateway {

namespace {

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  Handshake shake_hands() override { return Handshake::Done; }

  Read read(std::span<std::byte> into) override {
    const ssize_t got = ::recv(fd(), into.data(), into.size(), 0);
    if (got > 0) {
      const auto bytes = static_cast<std::size_t>(got);
      return {bytes < into.size() ? Read::State::Drained : Read::State::More, bytes};
    }
    if (got == 0) return {Read::State::Ended, 0};
    if (errno == EINTR) return {Read::State::More, 0};
    if (errno == EAGAIN) return {Read::State::Drained, 0};
    error_ = errno;
    return {Read::State::Failed, 0};
  }

  Written write(std::span<const broker::Bytes> pieces) override {
    const std::size_t count = std::min<std::size_t>(pieces.size(), IOV_MAX);
    std::array<iovec, IOV_MAX> vector;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vector[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};
      size += pieces[i].size();
    }
    msghdr message{};
    message.msg_iov = vector.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      const auto bytes = static_cast<std::size_t>(sent);
      return {bytes < size ? Written::State::Blocked : Written::State::All, bytes};
    }
    if (errno == EAGAIN || errno == EINTR) return {Written::State::Blocked, 0};
    error_ = errno;
    return {Written::State::Failed, 0};
  }

  void end_writing() override { ::shutdown(fd(), SHUT_WR); }
  std::string failure() const override { return std::strerror(error_); }

 private:
  int error_ = 0;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(FileDescriptor fd) {
  return std::make_unique<PlainTransport>(std::move(fd));
}

}  // namespace wake::gateway
