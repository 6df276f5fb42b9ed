// One bridge's shell: carries out what its Relay asks for. Everything happens on the bridges' thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker-core/bridge/relay.hpp"
#include "config/bridge_options.hpp"
#include "gateway/bridge/stream.hpp"

namespace wake::gateway {

class Bridge {
 public:
  /// A connected socket whose other end is a client of this gateway's broker; not open: there is none now.
  using OpenLocal = std::function<FileDescriptor()>;

  Bridge(boost::asio::io_context& io, const config::BridgeOptions& options, broker::RelayOptions relay,
         OpenLocal open_local);

  const config::BridgeOptions& options() const { return options_; }
  broker::Relay::Status status() const { return relay_.status(); }
  bool is_running() const { return is_running_; }
  /// Also after end().
  void start();
  /// Credentials and certificates for the next connection.
  void reload(const config::BridgeOptions& options);
  /// DISCONNECT on both sides; after two seconds at most the loop has nothing of it any more.
  void end();

 private:
  struct End {
    std::unique_ptr<BridgeConnector> connector;
    std::shared_ptr<BridgeStream> stream;
    std::uint64_t number = 0;     // of the connection: what belongs to an earlier one is not heard
    std::vector<std::byte> rest;  // received and not taken
    bool is_reading = false;
    bool is_writing = false;
  };

  End& end_of(broker::BridgeSide side) { return ends_[static_cast<std::size_t>(side)]; }
  void turn();
  bool carry_out_effects();
  void open(broker::BridgeSide side);
  void opened(broker::BridgeSide side, std::shared_ptr<BridgeStream> stream);
  void lost(broker::BridgeSide side, const std::string& why);
  void failed(broker::BridgeSide side, const BridgeStream::Error& error);
  void close(broker::BridgeSide side, std::vector<std::byte> last);
  bool feed(broker::BridgeSide side);
  void read(broker::BridgeSide side);
  void write(broker::BridgeSide side);
  void arm_timer();

  boost::asio::io_context& io_;
  config::BridgeOptions options_;
  const OpenLocal open_local_;
  broker::Relay relay_;
  bool is_running_ = false;
  std::array<End, 2> ends_;
  boost::asio::steady_timer timer_;
  broker::SteadyTime armed_for_ = broker::SteadyTime::max();
};

}  // namespace wake::gateway
