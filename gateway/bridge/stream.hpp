// The bytes of one of a bridge's two connections: a socket to this process's own shard, or TCP, a Unix socket
// or TLS to another broker. Asynchronous, on the bridges' thread; every handler is called from its loop,
// never from within the call that asks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "broker-core/types.hpp"
#include "config/bridge_options.hpp"
#include "gateway/file_descriptor.hpp"

namespace wake::gateway {

class BridgeStream {
 public:
  using Error = boost::system::error_code;
  using Received = std::function<void(const Error& error, broker::Bytes)>;
  using Written = std::function<void(const Error& error)>;

  virtual ~BridgeStream() = default;
  /// At least one byte, valid during the call, or an error. One read at a time.
  virtual void read(Received received) = 0;
  /// All of it. One write at a time.
  virtual void write(std::vector<std::byte> bytes, Written written) = 0;
  /// Handlers still waiting are called with an error.
  virtual void close() = 0;
  /// Writes `last`, unless a write is under way, and closes; within two seconds in any case.
  virtual void say_goodbye(std::vector<std::byte> last) = 0;
};

/// The network gave up, where else the other end closed the connection or went on in a way that TLS refuses.
bool is_of_network(const BridgeStream::Error& error);

/// Of a connected stream socket.
std::shared_ptr<BridgeStream> make_bridge_stream(boost::asio::io_context& io, FileDescriptor fd);

/// A connection being made: name, TCP, TLS with the certificate checked for the host of the address. The
/// files of the options are read each time, so renewed certificates are taken up. Dropping it gives it up.
class BridgeConnector {
 public:
  /// One of: the stream, or why there is none.
  using Opened = std::function<void(std::shared_ptr<BridgeStream>, const std::string& why)>;

  BridgeConnector() = default;
  BridgeConnector(const BridgeConnector&) = delete;
  BridgeConnector& operator=(const BridgeConnector&) = delete;
  virtual ~BridgeConnector() = default;
};

std::unique_ptr<BridgeConnector> connect_bridge(boost::asio::io_context& io,
                                                const config::BridgeOptions& options,
                                                BridgeConnector::Opened opened);

}  // namespace wake::gateway
