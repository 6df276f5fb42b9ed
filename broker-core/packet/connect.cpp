// Wire order: protocol name, level, flags, keep alive, [v5: properties], client id, [will: [v5: properties],
// topic, payload], [user name], [password].
//   flags: username<<7 | password<<6 | will_retain<<5 | will_qos<<3 | will<<2 | clean_start<<1 | reserved
#include "broker-core/packet/connect.hpp"

namespace wake::broker {

namespace {

struct ConnectFlags {
  std::uint8_t bits = 0;
  bool has_username() const { return (bits & 0x80) != 0; }
  bool has_password() const { return (bits & 0x40) != 0; }
  bool will_retain() const { return (bits & 0x20) != 0; }
  std::uint8_t will_qos() const { return bits >> 3 & 3; }
  bool has_will() const { return (bits & 0x04) != 0; }
  bool clean_start() const { return (bits & 0x02) != 0; }
  bool has_reserved() const { return (bits & 0x01) != 0; }
  bool has_will_bits_only() const { return !has_will() && (bits & 0x38) != 0; }
};

/// Mosquitto's sign of a bridge, which other brokers took up: 0x83 and 0x84 instead of 3 and 4. It asks for
/// what v5 has as no-local and retain-as-published on all its subscriptions.
constexpr std::uint8_t kBridgeBit = 0x80;

ReasonCode read_version(Reader& in, Connect& out) {
  std::string_view name;
  std::uint8_t level = 0;
  if (!in.string(name) || !in.u8(level)) return ReasonCode::MalformedPacket;
  if (name != "MQTT" && name != "MQIsdp") return ReasonCode::MalformedPacket;
  out.is_bridge = level == (kBridgeBit | 4) || level == (kBridgeBit | 3);
  if (out.is_bridge) level &= static_cast<std::uint8_t>(~kBridgeBit);
  const bool is_known = name == "MQTT" ? level == 4 || level == 5 : level == 3;
  if (!is_known) return ReasonCode::UnsupportedProtocolVersion;
  out.version = static_cast<Version>(level);
  return ReasonCode::Success;
}

/// v5 [MQTT-3.1.2-3], [MQTT-3.1.2-11..15]; v3.1.1 the same and [MQTT-3.1.2-22]. v3.1 §3.1 reserves bit 0
/// without a rule and says nothing about will bits without a will.
bool are_flags_valid(ConnectFlags flags, Version version) {
  if (flags.will_qos() == 3) return false;
  if (version != Version::V5 && flags.has_password() && !flags.has_username()) return false;
  return version == Version::V31 || (!flags.has_reserved() && !flags.has_will_bits_only());
}

/// v5 §3.1.2.11: what only holds for the properties together.
ReasonCode check_properties(const Properties& properties) {
  const bool has_stray_data = properties.authentication_data && !properties.authentication_method;
  return has_stray_data ? ReasonCode::ProtocolError : ReasonCode::Success;
}

ReasonCode read_will(Reader& in, ConnectFlags flags, Version version, Will& out) {
  out.qos = static_cast<Qos>(flags.will_qos());
  out.retain = flags.will_retain();
  if (version == Version::V5) {
    const ReasonCode reason = parse_will(in, out.properties, out.delay_s);
    if (reason != ReasonCode::Success) return reason;
  }
  return in.string(out.topic) && in.binary(out.payload) ? ReasonCode::Success : ReasonCode::MalformedPacket;
}

/// v3.1 §3.1: "the Remaining Length field takes precedence over the User Name flag", and the same for the
/// password.
bool is_left_out(const Reader& in, Version version) { return version == Version::V31 && in.is_empty(); }

bool read_credentials(Reader& in, ConnectFlags flags, Connect& out) {
  if (flags.has_username() && !is_left_out(in, out.version) && !in.string(out.username.emplace()))
    return false;
  if (flags.has_password() && !is_left_out(in, out.version) && !in.binary(out.password.emplace()))
    return false;
  return in.is_empty();
}

ReasonCode read_payload(Reader& in, ConnectFlags flags, Connect& out) {
  if (!in.string(out.client_id)) return ReasonCode::MalformedPacket;
  if (flags.has_will()) {
    const ReasonCode reason = read_will(in, flags, out.version, out.will.emplace());
    if (reason != ReasonCode::Success) return reason;
  }
  return read_credentials(in, flags, out) ? ReasonCode::Success : ReasonCode::MalformedPacket;
}

ReasonCode read_connect(Reader& in, Connect& out) {
  const ReasonCode version_reason = read_version(in, out);
  if (version_reason != ReasonCode::Success) return version_reason;
  ConnectFlags flags;
  if (!in.u8(flags.bits) || !are_flags_valid(flags, out.version)) return ReasonCode::MalformedPacket;
  if (!in.u16(out.keep_alive_s)) return ReasonCode::MalformedPacket;
  out.clean_start = flags.clean_start();
  if (out.version == Version::V5) {
    ReasonCode reason = parse(in, PacketType::Connect, out.properties);
    if (reason == ReasonCode::Success) reason = check_properties(out.properties);
    if (reason != ReasonCode::Success) return reason;
  }
  return read_payload(in, flags, out);
}

std::uint8_t flags_of(const Connect& connect) {
  unsigned bits = connect.clean_start ? 0x02 : 0;
  if (connect.will) {
    bits |= 0x04 | static_cast<unsigned>(connect.will->qos) << 3 | (connect.will->retain ? 0x20 : 0);
  }
  if (connect.username) bits |= 0x80;
  if (connect.password) bits |= 0x40;
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

Parsed<Connect> parse_connect(const Frame& frame) {
  if (frame.flags() != 0) return ParseError{ReasonCode::MalformedPacket};  // v5 [MQTT-2.1.3-1]
  Reader in(frame.body);
  Connect connect;
  const ReasonCode reason = read_connect(in, connect);
  if (reason != ReasonCode::Success) return ParseError{reason};
  return connect;
}

std::optional<Version> claimed_version(const Frame& frame) {
  Reader in(frame.body);
  Connect claimed;
  return read_version(in, claimed) == ReasonCode::Success ? std::optional(claimed.version) : std::nullopt;
}

ReasonCode client_id_verdict(const Connect& connect) {
  const bool may_be_empty =
      connect.version == Version::V5 || (connect.version == Version::V311 && connect.clean_start);
  return connect.client_id.empty() && !may_be_empty ? ReasonCode::ClientIdentifierNotValid
                                                    : ReasonCode::Success;
}

void write(const Connect& connect, Version version, std::vector<std::byte>& bytes) {
  write_packet(PacketType::Connect, 0, bytes, [&](Writer& out) {
    out.string(version == Version::V31 ? "MQIsdp" : "MQTT");
    const bool is_marked = connect.is_bridge && version != Version::V5;
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(version) | (is_marked ? kBridgeBit : 0)));
    out.u8(flags_of(connect));
    out.u16(connect.keep_alive_s);
    if (version == Version::V5) write(connect.properties, bytes);
    out.string(connect.client_id);
    if (connect.will) {
      if (version == Version::V5) write(connect.will->properties, bytes, connect.will->delay_s);
      out.string(connect.will->topic);
      out.binary(connect.will->payload);
    }
    if (connect.username) out.string(*connect.username);
    if (connect.password) out.binary(*connect.password);
  });
}

}  // namespace wake::broker
