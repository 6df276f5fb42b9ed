// The only place that looks at received bytes: every get takes from the front or fails, so no caller does
// pointer arithmetic. Big-endian throughout (v5 §1.5). After a failure the position is unspecified: give the
// packet up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::broker {

/// A view; the bytes must outlive it and every view taken from it.
class Reader {
 public:
  Reader() = default;
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  std::size_t remaining() const { return bytes_.size(); }
  bool is_empty() const { return bytes_.empty(); }

  /// Each returns false when the bytes end too early (or are not what they must be) and then leaves `out`
  /// alone.
  bool u8(std::uint8_t& out);
  bool u16(std::uint16_t& out);
  bool u32(std::uint32_t& out);
  /// v5 §1.5.5: 0..268'435'455 in at most 4 bytes; a longer form than needed is refused [MQTT-1.5.5-1].
  bool varint(std::uint32_t& out);
  /// Two bytes of length, then text that is_valid_utf8.
  bool string(std::string_view& out);
  /// Two bytes of length, then anything.
  bool binary(Bytes& out);
  /// The next `size` bytes as a reader of their own: how nested lengths are read.
  bool sub(std::size_t size, Reader& out);
  /// All that is left; the reader is empty afterwards.
  Bytes rest();

 private:
  bool take(std::size_t size, Bytes& out);
  Bytes bytes_;
};

}  // namespace wake::broker
