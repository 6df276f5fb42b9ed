#include "broker-core/packet/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wake::broker {

namespace {

/// U+FDD0..U+FDEF and the last two of every plane, given as the low 16 bits: characters never (Unicode
/// §23.7).
bool is_noncharacter(unsigned low) { return (low & 0xFFFE) == 0xFFFE; }

/// Bytes of the well-formed sequence at `at` (RFC 3629 §4), 0 when it is none, is U+0000 or a
/// noncharacter.
std::size_t sequence_bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const std::size_t left = text.size() - at;
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;  // a tail byte, an overlong form, or above U+10FFFF
  if (lead < 0xE0) return left >= 2 && is_tail(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (left < 3 || !is_tail(1) || !is_tail(2)) return 0;
    const bool is_overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = lead == 0xED && byte(1) >= 0xA0;  // U+D800..U+DFFF
    const unsigned point = (lead & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    const bool is_never = is_noncharacter(point) || (point >= 0xFDD0 && point <= 0xFDEF);
    return is_overlong || is_surrogate || is_never ? 0 : 3;
  }
  if (left < 4 || !is_tail(1) || !is_tail(2) || !is_tail(3)) return 0;
  const bool is_overlong = lead == 0xF0 && byte(1) < 0x90;
  const bool is_too_high = lead == 0xF4 && byte(1) >= 0x90;  // above U+10FFFF
  const unsigned low = (byte(1) & 0x0Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu);
  return is_overlong || is_too_high || is_noncharacter(low) ? 0 : 4;
}

/// Eight bytes at once: all ASCII and none zero. Most topics are nothing else.
bool is_plain_word(const char* at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return ((word | (word - kOnes)) & kHighBits) == 0;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && is_plain_word(text.data() + at)) {
      at += 8;
      continue;
    }
    const std::size_t step = sequence_bytes(text, at);
    if (step == 0) return false;
    at += step;
  }
  return true;
}

}  // namespace wake::broker
