#include "broker-core/packet/reader.hpp"

#include "broker-core/packet/utf8.hpp"

namespace wake::broker {

bool Reader::take(std::size_t size, Bytes& out) {
  if (bytes_.size() < size) return false;
  out = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  return true;
}

bool Reader::u8(std::uint8_t& out) {
  Bytes bytes;
  if (!take(1, bytes)) return false;
  out = std::to_integer<std::uint8_t>(bytes[0]);
  return true;
}

bool Reader::u16(std::uint16_t& out) {
  Bytes bytes;
  if (!take(2, bytes)) return false;
  out = static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8 |
                                   std::to_integer<unsigned>(bytes[1]));
  return true;
}

bool Reader::u32(std::uint32_t& out) {
  Bytes bytes;
  if (!take(4, bytes)) return false;
  std::uint32_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint32_t>(byte);
  out = value;
  return true;
}

bool Reader::varint(std::uint32_t& out) {
  std::uint32_t value = 0;
  for (unsigned count = 0; count < 4; ++count) {
    std::uint8_t byte = 0;
    if (!u8(byte)) return false;
    value |= static_cast<std::uint32_t>(byte & 0x7F) << (7 * count);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && count > 0) return false;  // longer than needed
    out = value;
    return true;
  }
  return false;
}

bool Reader::string(std::string_view& out) {
  Bytes bytes;
  if (!binary(bytes) || !is_valid_utf8(as_text(bytes))) return false;
  out = as_text(bytes);
  return true;
}

bool Reader::binary(Bytes& out) {
  std::uint16_t size = 0;
  return u16(size) && take(size, out);
}

bool Reader::sub(std::size_t size, Reader& out) {
  Bytes bytes;
  if (!take(size, bytes)) return false;
  out = Reader(bytes);
  return true;
}

Bytes Reader::rest() {
  const Bytes all = bytes_;
  bytes_ = {};
  return all;
}

}  // namespace wake::broker
