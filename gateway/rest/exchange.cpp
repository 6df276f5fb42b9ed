#include "gateway/rest/exchange.hpp"

#include <cstdint>
#include <string_view>

#include "broker-core/packet/utf8.hpp"

namespace wake::gateway::rest {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986 §2.1; in a query (HTML's form encoding) + is a space.
std::optional<std::string> decode_percent(std::string_view text, bool is_query) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && is_query) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!broker::is_valid_utf8(out)) return std::nullopt;
  return out;
}

/// Calls `visit(part)` for what lies between the separators, until it answers false.
template <class Visit>
bool for_each_part(std::string_view text, char separator, Visit&& visit) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!visit(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& query) {
  if (text.empty()) return true;
  return for_each_part(text, '&', [&](std::string_view pair) {
    const std::size_t equals = pair.find('=');
    const auto name = decode_percent(pair.substr(0, equals), true);
    const auto value =
        decode_percent(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    query[*name] = *value;
    return true;
  });
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::optional<Target> parse_target(const std::string& text) {
  if (!text.starts_with('/')) return std::nullopt;
  const std::string_view whole(text);
  const std::size_t mark = whole.find('?');
  Target target;
  const bool is_path_good =
      for_each_part(whole.substr(1, mark == whole.npos ? mark : mark - 1), '/', [&](std::string_view part) {
        auto segment = decode_percent(part, false);
        if (segment) target.segments.push_back(std::move(*segment));
        return segment.has_value();
      });
  if (!is_path_good) return std::nullopt;
  if (mark != whole.npos && !parse_query(whole.substr(mark + 1), target.query)) return std::nullopt;
  return target;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out += static_cast<char>((bits >> bit_count) & 0xFF);
    }
  }
  return out;
}

}  // namespace wake::gateway::rest
