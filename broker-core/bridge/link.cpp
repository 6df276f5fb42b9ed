#include "broker-core/bridge/link.hpp"

#include "broker-core/session/session_expiry.hpp"

namespace wake::broker {

namespace {

/// splitmix64: enough for jitter.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

Connect connect_of(const LinkOptions& options, bool is_marked) {
  Connect connect;
  connect.version = options.version;
  connect.clean_start = options.clean_start;
  connect.is_bridge = is_marked;
  connect.keep_alive_s = options.keep_alive_s;
  connect.client_id = options.client_id;
  if (options.username) connect.username = *options.username;
  if (options.password) connect.password = as_bytes(*options.password);
  if (options.version == Version::V5) {
    if (!options.clean_start) connect.properties.session_expiry_s = kNeverExpires;
    connect.properties.receive_maximum = options.receive_maximum;
    connect.properties.maximum_packet_bytes = options.max_packet_bytes;
  }
  return connect;
}

}  // namespace

Link::Link(LinkOptions options, std::uint64_t seed)
    : options_(std::move(options)), random_(seed), is_marked_(options_.is_marked) {}

void Link::set_credentials(std::optional<std::string> username, std::optional<std::string> password) {
  options_.username = std::move(username);
  options_.password = std::move(password);
}

void Link::send(const PublishTemplate& publish, PacketId packet_id, bool dup) {
  append_publish(publish, packet_id, dup, output_.own_bytes());
  output_.own_bytes_written();
}

void Link::opened(Now now) {
  phase_ = Phase::Connecting;
  deadline_ = now.steady + options_.answer_within;
  send(connect_of(options_, is_marked_));
}

std::optional<std::string> Link::on_connack(const Connack& connack, Now now) {
  if (phase_ != Phase::Connecting) return "a second CONNACK";
  if (connack.reason == ReasonCode::UnsupportedProtocolVersion && options_.version != Version::V5 &&
      is_marked_) {
    is_marked_ = false;
    return "the broker does not take the sign of a bridge in the protocol level; next time without";
  }
  if (is_failure(connack.reason)) return "CONNECT refused: " + std::string(to_string(connack.reason));
  phase_ = Phase::Up;
  up_since_ = now.steady;
  is_asked_ = false;
  has_session_ = connack.session_present;
  receive_maximum_ = connack.properties.receive_maximum.value_or(65'535);
  max_packet_bytes_ = connack.properties.maximum_packet_bytes.value_or(0xFFFFFFFF);
  maximum_qos_ = static_cast<Qos>(connack.properties.maximum_qos.value_or(2));
  takes_retained_ = connack.properties.retain_available.value_or(true);
  unanswered_ = 0;
  // 0: it does not ask for life signs. We do.
  const std::uint16_t wanted_s = connack.properties.server_keep_alive_s.value_or(0);
  if (wanted_s != 0) options_.keep_alive_s = wanted_s;
  deadline_ = now.steady + std::chrono::seconds(options_.keep_alive_s);
  return std::nullopt;
}

std::chrono::milliseconds Link::next_delay() {
  const auto whole =
      std::min<std::chrono::milliseconds>(kFirstRetry * (1u << std::min(losses_, 10u)), kLongestRetry);
  ++losses_;
  const auto half = static_cast<std::uint64_t>(whole.count() / 2);
  return std::chrono::milliseconds(half + next_random(random_) % (half + 1));
}

void Link::lost(Now now) {
  if (phase_ == Phase::Ended) return;
  if (phase_ == Phase::Up && now.steady - up_since_ >= kGoodWhile) losses_ = 0;
  phase_ = Phase::Waiting;
  deadline_ = now.steady + next_delay();
  output_.clear();
}

void Link::excuse_losses(Now now) {
  losses_ = 0;
  if (phase_ == Phase::Waiting) deadline_ = now.steady + next_delay();
}

void Link::ask_soon(std::chrono::seconds least, Now now) {
  const std::chrono::milliseconds whole = least;
  const std::chrono::milliseconds more(next_random(random_) %
                                       static_cast<std::uint64_t>(2 * whole.count() + 1));
  deadline_ = std::min(deadline_, now.steady + whole + more);
}

void Link::begin() {
  if (phase_ != Phase::Ended) return;
  phase_ = Phase::Waiting;
  deadline_ = {};
  losses_ = 0;
  output_.clear();
}

Link::Due Link::on_deadline(Now now) {
  if (phase_ == Phase::Ended || now.steady < deadline_) return Due::Nothing;
  switch (phase_) {
    case Phase::Waiting:
      phase_ = Phase::Opening;
      deadline_ = now.steady + options_.answer_within;
      return Due::Open;
    case Phase::Up:
      if (is_asked_) return Due::GiveUp;
      is_asked_ = true;
      deadline_ = now.steady + std::chrono::seconds(options_.keep_alive_s);
      send(Pingreq{});
      return Due::Nothing;
    default:
      return Due::GiveUp;
  }
}

}  // namespace wake::broker
