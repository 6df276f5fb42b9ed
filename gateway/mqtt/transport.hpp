// The bytes of one MQTT connection, in whatever they are wrapped. Plain TCP (or a Unix socket) here, TLS in
// tls_transport.hpp, and around either a WebSocket in websocket_transport.hpp. Never blocks. One thread at a
// time; may move between threads.
#pragma once

#include <cstddef>
#include <cstdint>
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
      More,      // the buffer is full, or there may be more
      Drained,   // nothing more until the poller says so
      Ended,     // the peer will send nothing more
      Failed,    // reset, or TLS broken
      Violated,  // what came breaks the wrapping's rules: end_writing() tells the peer
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

  enum class Layer : std::uint8_t { Plain, Tls, WebSocket };

  explicit Transport(FileDescriptor fd) : owned_(std::move(fd)), fd_(owned_.get()) {}
  /// Around a transport that owns the descriptor.
  explicit Transport(int fd) : fd_(fd) {}
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int fd() const { return fd_; }
  /// Whatever precedes the first MQTT byte; called again at each event until it is not Pending. After Failed,
  /// end_writing() tells the peer, where there is a way to.
  virtual Handshake shake_hands() = 0;
  virtual Read read(std::span<std::byte> into) = 0;
  /// In one system call where possible. When Blocked, the next call must begin with the bytes not taken.
  virtual Written write(std::span<const broker::Bytes> pieces) = 0;
  /// Bytes of its own that write() has not taken along (a Pong) go out, as many as fit; when the poller says
  /// writable. False: the connection has failed.
  virtual bool flush() { return true; }
  /// We will send nothing more.
  virtual void end_writing() = 0;
  /// Verified name of the client's certificate; empty without one.
  virtual std::string certificate_cn() const { return {}; }
  /// Why the last call failed.
  virtual std::string failure() const = 0;
  /// Bytes that begin with a TLS record mean that the client expected another kind of listener.
  virtual bool is_tls() const { return false; }
  /// The one that is shaking hands, or the outermost.
  virtual Layer layer() const { return Layer::Plain; }
  /// Has the peer sent anything while shaking hands? Who has not is a probe of the port.
  virtual bool has_received() const { return true; }

 private:
  FileDescriptor owned_;
  int fd_;
};

/// `fd` is a connected, non-blocking stream socket.
std::unique_ptr<Transport> make_plain_transport(FileDescriptor fd);

}  // namespace wake::gateway
