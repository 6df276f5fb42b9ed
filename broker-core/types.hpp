// The words of the house as types. Identifiers do not convert into each other; time is always passed in.
// Not here: anything that knows a packet (packet/), a tree (topic/) or a rule (delivery/, access/).
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace wake::broker {

/// A value with a name of its own: Named<struct PhoneIdTag, uint64_t> is no other number.
template <class Tag, class Rep>
struct Named {
  Rep value{};
  friend bool operator==(const Named&, const Named&) = default;
  friend auto operator<=>(const Named&, const Named&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Named& named) { return out << named.value; }
};

/// MQTT's client identifier, already checked: 1..128 bytes of UTF-8 without + # / and control characters.
using ClientId = Named<struct ClientIdTag, std::string>;
/// Database keys (positive; 0 is "none").
using UserId = Named<struct UserIdTag, std::int64_t>;
using PhoneId = Named<struct PhoneIdTag, std::int64_t>;
using EntryId = Named<struct EntryIdTag, std::int64_t>;
using AlertId = Named<struct AlertIdTag, std::int64_t>;  // a row of what the gateway has to tell a phone
/// v5 §2.2.1: 1..65535 while in use.
using PacketId = Named<struct PacketIdTag, std::uint16_t>;
/// 64 bits, time-ordered, unique in the cluster: milliseconds since 2026-01-01 UTC (43) | node (5) | shard
/// (4) | count (11). Always positive as a signed number, so it is a PostgreSQL bigint as it stands.
using MessageId = Named<struct MessageIdTag, std::int64_t>;

using SteadyTime = std::chrono::steady_clock::time_point;
using UtcTime = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::steady_clock::duration;

/// Stands for "nothing bounds it": session_expiry 0xFFFFFFFF, a message without expiry.
inline constexpr UtcTime kNever = UtcTime::max();

/// The moment of an event: the shell reads both clocks once per round and passes them down.
struct Now {
  SteadyTime steady{};
  UtcTime utc{};
};

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

enum class Qos : std::uint8_t { AtMostOnce = 0, AtLeastOnce = 1, ExactlyOnce = 2 };
inline std::ostream& operator<<(std::ostream& out, Qos qos) { return out << static_cast<int>(qos); }

/// The protocol level byte of CONNECT. v3.1 says 3, v3.1.1 says 4, v5 says 5.
enum class Version : std::uint8_t { V31 = 3, V311 = 4, V5 = 5 };
inline std::ostream& operator<<(std::ostream& out, Version version) {
  return out << static_cast<int>(version);
}

/// Who a connection or request acts for (contract §1). `id` never changes: users.id, devices.id or
/// api_keys.id as text; empty for an anonymous client. `name` is what a rule's %u means: the account name,
/// the device id, "api-key".
struct Principal {
  enum class Kind : std::uint8_t { Anonymous, User, Device, Service };
  Kind kind = Kind::Anonymous;
  std::string id;
  std::string name;
  friend bool operator==(const Principal& a, const Principal& b) { return a.kind == b.kind && a.id == b.id; }
};

}  // namespace wake::broker

template <class Tag, class Rep>
struct std::hash<wake::broker::Named<Tag, Rep>> {
  std::size_t operator()(const wake::broker::Named<Tag, Rep>& named) const noexcept {
    return std::hash<Rep>{}(named.value);
  }
};
