#include "push/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace wake::push {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

// Length of the well-formed sequence at the front of `in`, 0 when it is malformed (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view in) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in[i]); };
  const auto is_tail = [&](std::size_t i) { return i < in.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !is_tail(1)) return 0;
  if (first < 0xE0) return 2;
  const unsigned char second = byte(1);
  if (first == 0xE0 && second < 0xA0) return 0;  // overlong
  if (first == 0xED && second > 0x9F) return 0;  // surrogate
  if (!is_tail(2)) return 0;
  if (first < 0xF0) return 3;
  if (first == 0xF0 && second < 0x90) return 0;  // overlong
  if (first == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return is_tail(3) ? 4 : 0;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

std::size_t sequence_json_size(std::string_view sequence) {
  if (sequence.size() > 1 || is_plain(sequence[0])) return sequence.size();
  switch (sequence[0]) {
    case '"':
    case '\\':
    case '\n':
    case '\r':
    case '\t':
      return 2;
    default:
      return 6;  // \u00XX
  }
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void append_base64_alphabet(std::string& out, std::string_view bytes, const char* alphabet, bool is_padded) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t digit = 0; digit < digits; ++digit) out += alphabet[group >> (18 - 6 * digit) & 63];
    if (is_padded) out.append(4 - digits, '=');
  }
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string fit_text(std::string_view bytes, std::size_t max_json_bytes) {
  std::string out;
  out.reserve(std::min(bytes.size(), max_json_bytes));
  std::size_t used = 0;
  std::size_t cut_at = 0;  // size of `out` to which "…" can still be added
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    const std::string_view piece = length ? bytes.substr(0, length) : kReplacement;
    if (used + sequence_json_size(piece) > max_json_bytes) {
      out.resize(cut_at);
      if (max_json_bytes >= kEllipsis.size()) out += kEllipsis;
      return out;
    }
    used += sequence_json_size(piece);
    out += piece;
    if (used + kEllipsis.size() <= max_json_bytes) cut_at = out.size();
    bytes.remove_prefix(length ? length : 1);
  }
  return out;
}

std::size_t json_size(std::string_view bytes) {
  std::size_t size = 0;
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    size += length ? sequence_json_size(bytes.substr(0, length)) : kReplacement.size();
    bytes.remove_prefix(length ? length : 1);
  }
  return size;
}

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  while (!bytes.empty()) {
    const auto stop = std::find_if_not(bytes.begin(), bytes.end(), is_plain);
    const auto run = static_cast<std::size_t>(stop - bytes.begin());
    out += bytes.substr(0, run);
    bytes.remove_prefix(run);
    if (bytes.empty()) break;
    const std::size_t length = sequence_length(bytes);
    if (length == 1) {
      append_escaped(out, bytes[0]);
    } else {
      out += length ? bytes.substr(0, length) : kReplacement;
    }
    bytes.remove_prefix(length ? length : 1);
  }
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  static_cast<void>(error);  // 24 characters hold every 64-bit number
  out.append(digits, end);
}

void append_time(std::string& out, broker::UtcTime time) {
  constexpr std::int64_t kYear0Ms = -62'167'219'200'000;
  constexpr std::int64_t kYear9999Ms = 253'402'300'799'999;
  const auto total = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
  const std::chrono::sys_time<std::chrono::milliseconds> clamped{
      std::chrono::milliseconds{std::clamp<std::int64_t>(total, kYear0Ms, kYear9999Ms)}};
  const auto day = std::chrono::floor<std::chrono::days>(clamped);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{clamped - day};
  char text[40];
  const int length = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()),
                                   unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                                   int(clock.minutes().count()), int(clock.seconds().count()),
                                   int(clock.subseconds().count()));
  out.append(text, static_cast<std::size_t>(length));
}

void append_base64(std::string& out, std::string_view bytes) {
  append_base64_alphabet(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                         true);
}

void append_base64url(std::string& out, std::string_view bytes) {
  append_base64_alphabet(out, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                         false);
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

}  // namespace wake::push
