#include "tests/conformance/byte_pattern.hpp"

#include <stdexcept>

namespace wake::test {

namespace {

[[noreturn]] void complain(const std::string& what, std::string_view text, std::size_t at) {
  throw std::runtime_error(what + " at " + std::to_string(at) + " in: " + std::string(text));
}

void append_varint(std::size_t value, std::vector<std::byte>& out) {
  do {
    const std::size_t more = value >> 7;
    out.push_back(static_cast<std::byte>((value & 0x7F) | (more != 0 ? 0x80 : 0)));
    value = more;
  } while (value != 0);
}

/// Takes the number off the front. False: there is none.
bool take_varint(std::span<const std::byte>& in, std::size_t& value) {
  value = 0;
  for (unsigned i = 0; i < 4 && i < in.size(); ++i) {
    value |= (std::to_integer<std::size_t>(in[i]) & 0x7F) << (7 * i);
    if (std::to_integer<unsigned>(in[i]) < 0x80) {
      in = in.subspan(i + 1);
      return true;
    }
  }
  return false;
}

bool take_u16(std::span<const std::byte>& in, std::size_t& value) {
  if (in.size() < 2) return false;
  value = std::to_integer<std::size_t>(in[0]) << 8 | std::to_integer<std::size_t>(in[1]);
  in = in.subspan(2);
  return true;
}

unsigned digit(std::string_view text, std::size_t at) {
  const char c = at < text.size() ? text[at] : ' ';
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  complain("not a hex digit", text, at);
}

}  // namespace

BytePattern::BytePattern(std::string_view text) {
  std::size_t at = 0;
  items_ = parse(text, at, '\0');
}

BytePattern::Items BytePattern::parse(std::string_view text, std::size_t& at, char end) {
  Items items;
  while (at < text.size()) {
    if (text[at] == end) {
      ++at;
      return items;
    }
    if (text[at] == ' ') {
      ++at;
    } else {
      parse_one(text, at, items);
    }
  }
  if (end != '\0') complain(std::string("no ") + end, text, at);
  return items;
}

void BytePattern::parse_one(std::string_view text, std::size_t& at, Items& out) {
  const char c = text[at];
  if (c == '[' || c == '{' || c == '<') {
    ++at;
    Items inside = parse(text, at, c == '[' ? ']' : c == '{' ? '}' : '>');
    out.push_back({c == '<' ? Kind::U16Group : Kind::VarintGroup, {}, std::move(inside)});
  } else if (c == '\'' || c == '"') {
    const std::size_t end = text.find(c, at + 1);
    if (end == std::string_view::npos) complain("unclosed text", text, at);
    Items letters;
    for (const char letter : text.substr(at + 1, end - at - 1))
      letters.push_back({Kind::Byte, static_cast<std::byte>(letter), {}});
    if (c == '\'') {
      out.push_back({Kind::U16Group, {}, std::move(letters)});
    } else {
      out.insert(out.end(), letters.begin(), letters.end());
    }
    at = end + 1;
  } else if (c == '*') {
    out.push_back({Kind::AnyRest, {}, {}});
    ++at;
  } else if (text.substr(at, 2) == "..") {
    out.push_back({Kind::AnyByte, {}, {}});
    at += 2;
  } else {
    const auto value = static_cast<std::byte>(digit(text, at) << 4 | digit(text, at + 1));
    at += 2;
    std::size_t count = 1;
    if (at < text.size() && text[at] == 'x') {
      std::size_t digits = 0;
      count = std::stoul(std::string(text.substr(at + 1, 7)), &digits);
      at += 1 + digits;
    }
    out.insert(out.end(), count, Item{Kind::Byte, value, {}});
  }
}

std::vector<std::byte> BytePattern::bytes() const {
  std::vector<std::byte> out;
  append(items_, out);
  return out;
}

void BytePattern::append(const Items& items, std::vector<std::byte>& out) {
  for (const Item& item : items) {
    std::vector<std::byte> inside;
    append(item.inside, inside);
    if (item.kind == Kind::Byte) {
      out.push_back(item.value);
    } else if (item.kind == Kind::VarintGroup) {
      append_varint(inside.size(), out);
    } else if (item.kind == Kind::U16Group) {
      out.push_back(static_cast<std::byte>(inside.size() >> 8));
      out.push_back(static_cast<std::byte>(inside.size() & 0xFF));
    } else {
      throw std::runtime_error("'..' and '*' can only be expected, not sent");
    }
    out.insert(out.end(), inside.begin(), inside.end());
  }
}

std::size_t BytePattern::match(std::span<const std::byte> in) const { return match(items_, in); }

std::size_t BytePattern::match(const Items& items, std::span<const std::byte> in) {
  const std::size_t whole = in.size();
  for (const Item& item : items) {
    if (item.kind == Kind::AnyRest) return whole;
    std::size_t used = 1;
    if (item.kind == Kind::VarintGroup || item.kind == Kind::U16Group) {
      used = match_group(item, in);
    } else if (in.empty() || (item.kind == Kind::Byte && in[0] != item.value)) {
      used = kNoMatch;
    }
    if (used == kNoMatch) return kNoMatch;
    in = in.subspan(used);
  }
  return whole - in.size();
}

std::size_t BytePattern::match_group(const Item& group, std::span<const std::byte> in) {
  const std::size_t whole = in.size();
  std::size_t size = 0;
  const bool has_size = group.kind == Kind::U16Group ? take_u16(in, size) : take_varint(in, size);
  if (!has_size || size > in.size()) return kNoMatch;
  if (match(group.inside, in.first(size)) != size) return kNoMatch;
  return whole - in.size() + size;
}

std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte one : bytes) {
    text += kDigits[std::to_integer<unsigned>(one) >> 4];
    text += kDigits[std::to_integer<unsigned>(one) & 15];
    text += ' ';
  }
  return text;
}

}  // namespace wake::test
