// What the two property parsers share: the loop over (identifier, value), each identifier once, and the typed
// values. Used by properties.cpp and publish_properties.cpp only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "broker-core/packet/properties.hpp"

namespace wake::broker::fields {

/// A set of property identifiers: all are below 64 (the largest is 0x2A).
using IdSet = std::uint64_t;

constexpr IdSet bit(PropertyId id) { return IdSet{1} << static_cast<unsigned>(id); }

template <class... Ids>
constexpr IdSet set_of(Ids... ids) {
  return (bit(ids) | ... | IdSet{0});
}

inline ReasonCode verdict(bool is_read) {
  return is_read ? ReasonCode::Success : ReasonCode::MalformedPacket;
}

inline ReasonCode get(Reader& in, std::optional<std::uint16_t>& out) {
  return verdict(in.u16(out.emplace()));
}
inline ReasonCode get(Reader& in, std::optional<std::uint32_t>& out) {
  return verdict(in.u32(out.emplace()));
}
inline ReasonCode get(Reader& in, std::optional<std::string_view>& out) {
  return verdict(in.string(out.emplace()));
}
inline ReasonCode get(Reader& in, std::optional<Bytes>& out) { return verdict(in.binary(out.emplace())); }

/// A byte that is 0 or 1; anything else is a ProtocolError in every property that has one.
inline ReasonCode get_bit(Reader& in, std::uint8_t& out) {
  if (!in.u8(out)) return ReasonCode::MalformedPacket;
  return out <= 1 ? ReasonCode::Success : ReasonCode::ProtocolError;
}
inline ReasonCode get(Reader& in, std::optional<bool>& out) {
  std::uint8_t value = 0;
  const ReasonCode reason = get_bit(in, value);
  out = value == 1;
  return reason;
}

/// A number that must not be 0.
template <class Number>
ReasonCode get_positive(Reader& in, std::optional<Number>& out) {
  const ReasonCode reason = get(in, out);
  return reason == ReasonCode::Success && *out == 0 ? ReasonCode::ProtocolError : reason;
}

/// v5 §3.8.2.1.2: 1..268'435'455.
inline ReasonCode get_subscription_id(Reader& in, std::uint32_t& out) {
  if (!in.varint(out)) return ReasonCode::MalformedPacket;
  return out == 0 ? ReasonCode::ProtocolError : ReasonCode::Success;
}

ReasonCode get_user_property(Reader& in, std::vector<UserProperty>& out);

void put_user_properties(Writer& out, const std::vector<UserProperty>& properties);
void put(Writer& out, PropertyId id, const std::optional<bool>& value);
void put(Writer& out, PropertyId id, const std::optional<std::uint8_t>& value);
void put(Writer& out, PropertyId id, const std::optional<std::uint16_t>& value);
void put(Writer& out, PropertyId id, const std::optional<std::uint32_t>& value);
void put(Writer& out, PropertyId id, const std::optional<std::string_view>& value);
void put(Writer& out, PropertyId id, const std::optional<Bytes>& value);

/// Calls `read_value(id, reader)` for each property of `in` until one is refused. Identifiers outside of
/// `allowed` are MalformedPacket (v5 §2.2.2.2); a second one outside of `repeatable` is ProtocolError.
template <class ReadValue>
ReasonCode for_each_property(Reader& in, IdSet allowed, IdSet repeatable, ReadValue&& read_value) {
  IdSet seen = 0;
  while (!in.is_empty()) {
    std::uint32_t id = 0;
    if (!in.varint(id) || id >= 64 || (allowed >> id & 1) == 0) return ReasonCode::MalformedPacket;
    if ((seen & ~repeatable) >> id & 1) return ReasonCode::ProtocolError;
    seen |= IdSet{1} << id;
    const ReasonCode reason = read_value(static_cast<PropertyId>(id), in);
    if (reason != ReasonCode::Success) return reason;
  }
  return ReasonCode::Success;
}

/// The property length, and a reader over so many bytes.
inline bool get_block(Reader& in, Reader& block) {
  std::uint32_t size = 0;
  return in.varint(size) && in.sub(size, block);
}

}  // namespace wake::broker::fields
