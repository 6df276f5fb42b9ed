#include "gateway/bridge/bridge.hpp"

#include "gateway/clock.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

using broker::BridgeSide;

constexpr std::array kSides{BridgeSide::Local, BridgeSide::Remote};

LogLevel level_of(broker::Incident::Level level) {
  if (level == broker::Incident::Level::Warn) return LogLevel::Warn;
  return level == broker::Incident::Level::Info ? LogLevel::Info : LogLevel::Debug;
}

}  // namespace

Bridge::Bridge(boost::asio::io_context& io, const config::BridgeOptions& options, broker::RelayOptions relay,
               OpenLocal open_local)
    : io_(io), options_(options), open_local_(std::move(open_local)), relay_(std::move(relay)), timer_(io) {}

void Bridge::start() {
  is_running_ = true;
  relay_.begin();
  turn();
}

void Bridge::reload(const config::BridgeOptions& options) {
  options_.username = options.username;
  options_.password = options.password;
  options_.ca_file = options.ca_file;
  options_.cert_file = options.cert_file;
  options_.key_file = options.key_file;
  const auto given = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  relay_.set_credentials(given(options.username), given(options.password));
}

void Bridge::end() {
  is_running_ = false;
  relay_.end(read_clocks());
  turn();
  timer_.cancel();
  armed_for_ = broker::SteadyTime::max();
}

/// After every event, until nothing is left to do without another one.
void Bridge::turn() {
  relay_.on_deadline(read_clocks());
  for (bool has_moved = true; has_moved;) {
    has_moved = carry_out_effects();
    for (const BridgeSide side : kSides) has_moved |= feed(side);
  }
  for (const BridgeSide side : kSides) {
    write(side);
    read(side);
  }
  arm_timer();
}

bool Bridge::carry_out_effects() {
  auto effects = relay_.take_effects();
  for (broker::RelayEffect& effect : effects) {
    if (const auto* open_link = std::get_if<broker::OpenLink>(&effect)) open(open_link->side);
    if (auto* close_link = std::get_if<broker::CloseLink>(&effect))
      close(close_link->side, std::move(close_link->last));
    if (const auto* incident = std::get_if<broker::Incident>(&effect)) {
      log(level_of(incident->level), incident->event, incident->text);
    }
  }
  return !effects.empty();
}

void Bridge::open(BridgeSide side) {
  const std::uint64_t number = ++end_of(side).number;
  if (side == BridgeSide::Local) {
    FileDescriptor fd = open_local_();
    if (!fd.is_open()) return lost(side, "no socket pair");
    return opened(side, make_bridge_stream(io_, std::move(fd)));
  }
  end_of(side).connector = connect_bridge(
      io_, options_, [this, side, number](std::shared_ptr<BridgeStream> stream, const std::string& why) {
        if (number != end_of(side).number) return;
        if (stream) {
          opened(side, std::move(stream));
        } else {
          lost(side, why);
        }
        turn();
      });
}

void Bridge::opened(BridgeSide side, std::shared_ptr<BridgeStream> stream) {
  End& end = end_of(side);
  end.stream = std::move(stream);
  end.rest.clear();
  end.is_reading = end.is_writing = false;
  relay_.opened(side, read_clocks());
}

void Bridge::lost(BridgeSide side, const std::string& why) {
  close(side, {});
  relay_.closed(side, why, read_clocks());
}

void Bridge::failed(BridgeSide side, const BridgeStream::Error& error) {
  close(side, {});
  if (is_of_network(error)) return relay_.cut_off(side, error.message(), read_clocks());
  relay_.closed(side, error.message(), read_clocks());
}

void Bridge::close(BridgeSide side, std::vector<std::byte> last) {
  End& end = end_of(side);
  ++end.number;
  end.connector.reset();
  if (end.stream) end.stream->say_goodbye(std::move(last));
  end.stream.reset();
  end.rest.clear();
}

/// True: some of it was taken.
bool Bridge::feed(BridgeSide side) {
  End& end = end_of(side);
  if (!end.stream || end.rest.empty()) return false;
  const std::size_t taken = relay_.on_bytes(side, end.rest, read_clocks());
  end.rest.erase(end.rest.begin(),
                 end.rest.begin() + static_cast<std::ptrdiff_t>(std::min(taken, end.rest.size())));
  return taken > 0;
}

void Bridge::read(BridgeSide side) {
  End& end = end_of(side);
  if (!end.stream || end.is_reading || !relay_.is_wanted(side)) return;
  end.is_reading = true;
  end.stream->read([this, side, number = end.number](const BridgeStream::Error& error, broker::Bytes bytes) {
    End& reading = end_of(side);
    if (number != reading.number) return;
    reading.is_reading = false;
    reading.rest.insert(reading.rest.end(), bytes.begin(), bytes.end());
    feed(side);  // what came before the end counts
    if (error && number == reading.number) failed(side, error);
    turn();
  });
}

void Bridge::write(BridgeSide side) {
  End& end = end_of(side);
  if (!end.stream || end.is_writing || relay_.output(side).is_empty()) return;
  end.is_writing = true;
  end.stream->write(broker::take_all(relay_.output(side)),
                    [this, side, number = end.number](const BridgeStream::Error& error) {
                      if (number != end_of(side).number) return;
                      end_of(side).is_writing = false;
                      if (error) failed(side, error);
                      turn();
                    });
}

void Bridge::arm_timer() {
  const broker::SteadyTime next = relay_.next_deadline();
  if (next == armed_for_) return;
  armed_for_ = next;
  timer_.expires_at(next);
  timer_.async_wait([this](const auto& error) {
    if (error) return;
    armed_for_ = broker::SteadyTime::max();
    turn();
  });
}

}  // namespace wake::gateway
