#include "gateway/mqtt/tls_transport.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "gateway/listen/tls_failure.hpp"

namespace wake::gateway {

namespace {

constexpr std::size_t kRecord = 16 * 1024;  // RFC 8446 §5.1: the most that one record carries

class TlsTransport final : public Transport {
 public:
  TlsTransport(FileDescriptor fd, SslPtr ssl) : Transport(std::move(fd)), ssl_(std::move(ssl)) {}

  Handshake shake_hands() override {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return Handshake::Done;
    return is_waiting(result) ? Handshake::Pending : Handshake::Failed;
  }

  Read read(std::span<std::byte> into) override {
    std::size_t bytes = 0;
    while (bytes < into.size()) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_.get(), into.data() + bytes, into.size() - bytes, &got);
      bytes += got;
      if (result == 1) continue;
      if (is_waiting(result)) return {Read::State::Drained, bytes};
      return {is_ended_ ? Read::State::Ended : Read::State::Failed, bytes};
    }
    return {Read::State::More, bytes};
  }

  Written write(std::span<const broker::Bytes> pieces) override {
    std::size_t taken = 0;
    for (std::size_t first = 0, offset = 0; first < pieces.size();) {
      const broker::Bytes record = next_record(pieces, first, offset);
      std::size_t sent = 0;
      ERR_clear_error();
      const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &sent);
      if (result != 1) return {is_waiting(result) ? Written::State::Blocked : Written::State::Failed, taken};
      taken += sent;
      skip(pieces, first, offset, sent);
    }
    return {Written::State::All, taken};
  }

  void end_writing() override {
    ERR_clear_error();
    // close_notify, if it fits into the socket; the peer's is not waited for.
    if (failure_.empty() && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    ::shutdown(fd(), SHUT_WR);
  }

  std::string certificate_cn() const override { return verified_name(*ssl_); }
  std::string failure() const override { return failure_; }
  bool is_tls() const override { return true; }
  Layer layer() const override { return Layer::Tls; }
  bool has_received() const override { return BIO_number_read(SSL_get_rbio(ssl_.get())) > 0; }

 private:
  /// Up to one record's bytes from the front, gathered. A blocked record comes again with the same first
  /// bytes and at least as many, as OpenSSL demands, because the caller keeps what was not taken and only
  /// adds behind it.
  broker::Bytes next_record(std::span<const broker::Bytes> pieces, std::size_t first, std::size_t offset) {
    const broker::Bytes front = pieces[first].subspan(offset);
    if (front.size() >= kRecord || first + 1 == pieces.size())
      return front.first(std::min(front.size(), kRecord));
    static thread_local std::array<std::byte, kRecord> gathered;
    std::size_t size = 0;
    for (; first < pieces.size() && size < kRecord; ++first, offset = 0) {
      const broker::Bytes piece = pieces[first].subspan(offset);
      const std::size_t part = std::min(piece.size(), kRecord - size);
      std::memcpy(gathered.data() + size, piece.data(), part);
      size += part;
    }
    return broker::Bytes(gathered).first(size);
  }

  static void skip(std::span<const broker::Bytes> pieces, std::size_t& first, std::size_t& offset,
                   std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t left = pieces[first].size() - offset;
      if (bytes < left) {
        offset += bytes;
        return;
      }
      bytes -= left;
      ++first;
      offset = 0;
    }
  }

  /// Otherwise the connection is over, and is_ended_ or failure_ says how.
  bool is_waiting(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return true;
      case SSL_ERROR_ZERO_RETURN:
        is_ended_ = true;
        if (!SSL_is_init_finished(ssl_.get())) failure_ = take_tls_failure(*ssl_);
        return false;
      case SSL_ERROR_SYSCALL:
        failure_ = errno == 0 ? take_tls_failure(*ssl_) : std::strerror(errno);
        return false;
      default:
        failure_ = take_tls_failure(*ssl_);
        return false;
    }
  }

  SslPtr ssl_;
  bool is_ended_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<Transport> make_tls_transport(FileDescriptor fd, const TlsContextPtr& context) {
  SslPtr ssl = make_ssl(context, fd.get());
  if (!ssl) return nullptr;
  return std::make_unique<TlsTransport>(std::move(fd), std::move(ssl));
}

}  // namespace wake::gateway
