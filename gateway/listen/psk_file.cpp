#include "gateway/listen/psk_file.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

namespace wake::gateway {

namespace {

std::optional<std::vector<unsigned char>> parse_hex(std::string_view text) {
  std::vector<unsigned char> bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned char byte = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (error != std::errc{} || end != text.data() + i + 2) return std::nullopt;
    bytes.push_back(byte);
  }
  return bytes;
}

/// What was expected instead; empty: it is taken.
std::string add_line(std::string_view line, PskTable& table) {
  const std::size_t colon = line.rfind(':');
  const std::string_view identity = line.substr(0, colon == line.npos ? 0 : colon);
  if (identity.empty() || identity.size() > kMaxPskIdentity)
    return "identity:hexkey, the identity 1 to 128 bytes long";
  const auto key = parse_hex(line.substr(colon + 1));
  if (!key || key->size() < kMinPskBytes || key->size() > kMaxPskBytes)
    return "a key of 16 to 256 bytes in hexadecimal";
  if (!table.emplace(identity, *key).second) return "an identity that no line before has";
  return {};
}

}  // namespace

PskTable parse_psk_lines(std::string_view text) {
  PskTable table;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::string expected = add_line(line, table);
    if (!expected.empty())
      throw std::runtime_error("line " + std::to_string(number) + ": expected " + expected);
  }
  return table;
}

PskTable read_psk_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("psk_file " + file + ": cannot be read");
  try {
    return parse_psk_lines(std::string(std::istreambuf_iterator<char>(in), {}));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("psk_file " + file + ": " + error.what());
  }
}

}  // namespace wake::gateway
