// Appends MQTT's data types to a buffer. Big-endian throughout (v5 §1.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "broker-core/packet/frame.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// 128^4 - 1: the largest remaining length, property length or subscription identifier.
inline constexpr std::uint32_t kMaxVarint = 268'435'455;

/// Bytes that varint(value) appends: 1 to 4.
std::size_t varint_size(std::uint32_t value);

/// Holds a reference to the buffer; appends only.
class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}

  std::size_t size() const { return out_.size(); }
  void reserve(std::size_t more) { out_.reserve(out_.size() + more); }

  void u8(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint16_t value) {
    const std::byte bytes[] = {static_cast<std::byte>(value >> 8), static_cast<std::byte>(value & 0xFF)};
    raw(Bytes(bytes));
  }
  void u32(std::uint32_t value);
  /// `value` is at most kMaxVarint (asserted).
  void varint(std::uint32_t value);
  /// Length in two bytes, then the bytes; at most 65'535 of them (asserted: the caller's strings are checked
  /// before).
  void string(std::string_view text);
  void binary(Bytes bytes);
  void raw(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void raw(std::string_view text) { raw(as_bytes(text)); }

 private:
  std::vector<std::byte>& out_;
};

/// Writes the fixed header, lets `body(Writer&)` append what follows, and puts the remaining length between
/// the two.
template <class Body>
void write_packet(PacketType type, std::uint8_t flags, std::vector<std::byte>& out, Body&& body);

/// Writes what `body(Writer&)` appends, preceded by its length as a varint (v5 §2.2.2.1, will properties).
template <class Body>
void write_with_length(std::vector<std::byte>& out, Body&& body);

/// Moves the bytes from `start` on behind their own length; what the two templates share.
void insert_length(std::vector<std::byte>& out, std::size_t start);

template <class Body>
void write_with_length(std::vector<std::byte>& out, Body&& body) {
  const std::size_t start = out.size();
  Writer writer(out);
  body(writer);
  insert_length(out, start);
}

template <class Body>
void write_packet(PacketType type, std::uint8_t flags, std::vector<std::byte>& out, Body&& body) {
  Writer(out).u8(static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
  write_with_length(out, body);
}

}  // namespace wake::broker
