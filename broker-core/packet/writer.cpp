#include "broker-core/packet/writer.hpp"

#include <cassert>

namespace wake::broker {

namespace {

/// Writes `value` to `at` (room for 4) and returns the bytes used.
std::size_t encode_varint(std::uint32_t value, std::byte* at) {
  std::size_t count = 0;
  do {
    const std::uint32_t low = value & 0x7F;
    value >>= 7;
    at[count++] = static_cast<std::byte>(value != 0 ? low | 0x80 : low);
  } while (value != 0);
  return count;
}

}  // namespace

std::size_t varint_size(std::uint32_t value) {
  if (value < 128) return 1;
  if (value < 128 * 128) return 2;
  return value < 128 * 128 * 128 ? 3 : 4;
}

void Writer::u32(std::uint32_t value) {
  u16(static_cast<std::uint16_t>(value >> 16));
  u16(static_cast<std::uint16_t>(value & 0xFFFF));
}

void Writer::varint(std::uint32_t value) {
  assert(value <= kMaxVarint);
  std::byte bytes[5];
  raw(Bytes(bytes, encode_varint(value, bytes)));
}

void Writer::string(std::string_view text) { binary(as_bytes(text)); }

void Writer::binary(Bytes bytes) {
  assert(bytes.size() <= 65'535);
  u16(static_cast<std::uint16_t>(bytes.size()));
  raw(bytes);
}

void insert_length(std::vector<std::byte>& out, std::size_t start) {
  assert(out.size() - start <= kMaxVarint);
  std::byte length[5];
  const std::size_t count = encode_varint(static_cast<std::uint32_t>(out.size() - start), length);
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(start), length, length + count);
}

}  // namespace wake::broker
