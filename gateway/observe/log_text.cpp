#include "gateway/observe/log_text.hpp"

#include <nlohmann/json.hpp>

namespace wake::gateway {

namespace {

std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_escaped(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte != 0x7f) {
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else {
    out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  }
}

}  // namespace

std::string json_fields(std::string_view event, std::string_view text) {
  return "\"event\":" + quoted(event) + ",\"text\":" + quoted(text);
}

std::string text_fields(std::string_view event, std::string_view text) {
  std::string out = "event=";
  out += event;
  out += ' ';
  for (const char c : text) append_escaped(out, c);
  return out;
}

}  // namespace wake::gateway
