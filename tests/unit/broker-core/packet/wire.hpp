// Packets typed in by hand: one field per line, each with its name beside it, and the four questions asked of
// each of them.
//   wire("30"          // PUBLISH, QoS 0
//        "07"          // remaining length
//        "0003 'a/b'"  // topic
//        "'hi'")       // payload
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "broker-core/packet/packet.hpp"

/// The clause that the test proves, with its version; recorded in the test report.
#define CLAUSE(version, clause) ::testing::Test::RecordProperty("clause", version " [" clause "]")

namespace wake::broker {

using WireBytes = std::vector<std::byte>;

inline constexpr std::size_t kRoomy = 1 << 20;

/// Hex pairs, 'text' in quotes, blanks between them as one likes.
inline WireBytes wire(std::string_view text) {
  WireBytes bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == ' ') continue;
    if (text[at] == '\'') {
      for (++at; at < text.size() && text[at] != '\''; ++at)
        bytes.push_back(static_cast<std::byte>(text[at]));
      continue;
    }
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16)));
    ++at;
  }
  return bytes;
}

/// Hex, for messages that a reader can compare.
inline std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<std::size_t>(byte) >> 4];
    text += kDigits[std::to_integer<std::size_t>(byte) & 15];
    text += ' ';
  }
  return text;
}

/// The packet in `bytes`, which must hold one and nothing more. `bytes` must outlive it.
template <class T>
T parsed(const WireBytes& bytes, Version version = Version::V5) {
  Bytes in(bytes);
  ParseResult result = parse(in, version, kRoomy);
  if (const auto* error = std::get_if<ParseError>(&result)) {
    ADD_FAILURE() << "refused: " << error->reason << ": " << hex(bytes);
    return {};
  }
  if (!std::holds_alternative<Packet>(result) || !std::holds_alternative<T>(std::get<Packet>(result))) {
    ADD_FAILURE() << "incomplete or of another kind: " << hex(bytes);
    return {};
  }
  EXPECT_TRUE(in.empty()) << "left over: " << hex(in);
  return std::get<T>(std::get<Packet>(std::move(result)));
}

/// Why `bytes`, a whole packet, is refused; Success when it is not.
inline ReasonCode refusal(const WireBytes& bytes, Version version = Version::V5) {
  Bytes in(bytes);
  const ParseResult result = parse(in, version, kRoomy);
  EXPECT_FALSE(std::holds_alternative<NeedMore>(result)) << "incomplete: " << hex(bytes);
  const auto* error = std::get_if<ParseError>(&result);
  if (!error) return ReasonCode::Success;
  EXPECT_EQ(in.size(), bytes.size()) << "input must stay untouched";
  return error->reason;
}

template <class T>
std::string written(const T& packet, Version version = Version::V5) {
  WireBytes out;
  write(packet, version, out);
  return hex(out);
}

/// parse -> write gives the same bytes.
template <class T>
void expect_same_bytes(const WireBytes& bytes, Version version = Version::V5) {
  EXPECT_EQ(written(parsed<T>(bytes, version), version), hex(bytes));
}

/// Every cut of the stream is NeedMore. Each prefix stands in memory of its own, so that a sanitizer sees a
/// read too far.
inline void expect_prefixes_need_more(const WireBytes& bytes, Version version = Version::V5) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const WireBytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes in(prefix);
    const ParseResult result = parse(in, version, kRoomy);
    ASSERT_TRUE(std::holds_alternative<NeedMore>(result)) << size << " of " << hex(bytes);
    EXPECT_GE(std::get<NeedMore>(result).bytes, 1u);
    EXPECT_LE(std::get<NeedMore>(result).bytes, bytes.size() - size);
    EXPECT_EQ(in.size(), size);
  }
}

/// The body lengths, shorter than whole, that still make a packet when the remaining length says so. For
/// packets under 128 bytes of body. All others are refused, none crashes.
inline std::vector<std::size_t> shorter_bodies(const WireBytes& bytes, Version version = Version::V5) {
  std::vector<std::size_t> accepted;
  for (std::size_t body = 0; body + 2 < bytes.size(); ++body) {
    WireBytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(2 + body));
    cut.shrink_to_fit();
    cut[1] = static_cast<std::byte>(body);
    if (refusal(cut, version) == ReasonCode::Success) accepted.push_back(body);
  }
  return accepted;
}

/// All four questions at once, for packets that no cut of the body leaves whole.
template <class T>
void expect_sound(const WireBytes& bytes, Version version = Version::V5,
                  const std::vector<std::size_t>& shorter = {}) {
  expect_same_bytes<T>(bytes, version);
  expect_prefixes_need_more(bytes, version);
  EXPECT_EQ(shorter_bodies(bytes, version), shorter) << hex(bytes);
}

}  // namespace wake::broker
