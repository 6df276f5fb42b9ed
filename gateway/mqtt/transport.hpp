// The bytes of one MQTT connection, in whatever they are wrapped. Plain TCP (or a Unix socket) here and TLS
// in tls_transport.hpp; a WebSocket is one more, around either. Never blocks. One thread at a time; may move
// between threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "broker-core/types.hpp"
#include "gateway/file_descriptor.hpp"

namespace wake::gateway {

class Transport {
 public:
  struct Read {
    enum class State {
      More,     // the buffer is full, or there may be more
      Drained,  // nothing more until the poller says so
      Ended,    // the peer will send nothing more
      Failed,   // reset, or TLS broken
    };
    State state = State::Drained;
    std::size_t bytes = 0;  // read in any state
  };
  struct Written {
    enum class State { All, Blocked, Failed };  // Blocked: go on when the poller says writable
    State state = State::All;
    std::size_t bytes = 0;  // taken in any state
  };
  enum class Handshake { Done, Pending, Failed };

  explicit Transport(FileDescriptor fd) : fd_(std::move(fd)) {}
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return fd_.get(); }
  /// Whatever precedes the first MQTT byte; called again at each event until it is not Pending.
  virtual Handshake shake_hands() = 0;
  virtual Read read(std::span<std::byte> into) = 0;
  /// In one system call where possible. When Blocked, the next call must begin with the bytes not taken.
  virtual Written write(std::span<const broker::Bytes> pieces) = 0;
  /// We will send nothing more.
  virtual void end_writing() = 0;
  /// Verified name of the client's certificate; empty without one.
  virtual std::string certificate_cn() const { return {}; }
  /// Why the last call failed.
  virtual std::string failure() const = 0;
  /// Bytes that begin with a TLS record mean that the client expected another kind of listener.
  virtual bool is_tls() const { return false; }

 private:
  FileDescriptor fd_;
};

/// `fd` is a connected, non-blocking stream socket.
std::unique_ptr<Transport> make_plain_transport(FileDescriptor fd);

}  // namespace wake::gateway
