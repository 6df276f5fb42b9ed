// The notation of bytes in the conformance data (README.md here), for sending and for expecting.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wake::test {

class BytePattern {
 public:
  /// Throws std::runtime_error naming the place when `text` is not of the notation.
  explicit BytePattern(std::string_view text);

  /// The bytes themselves. Throws when a part of the pattern stands for more than one value.
  std::vector<std::byte> bytes() const;

  /// How many bytes at the front of `in` the pattern takes, or kNoMatch.
  static constexpr std::size_t kNoMatch = static_cast<std::size_t>(-1);
  std::size_t match(std::span<const std::byte> in) const;

 private:
  enum class Kind { Byte, AnyByte, AnyRest, VarintGroup, U16Group };
  struct Item {
    Kind kind = Kind::Byte;
    std::byte value{};
    std::vector<Item> inside{};
  };
  using Items = std::vector<Item>;

  static Items parse(std::string_view text, std::size_t& at, char end);
  static void parse_one(std::string_view text, std::size_t& at, Items& out);
  static void append(const Items& items, std::vector<std::byte>& out);
  static std::size_t match(const Items& items, std::span<const std::byte> in);
  static std::size_t match_group(const Item& group, std::span<const std::byte> in);

  Items items_;
};

std::string to_hex(std::span<const std::byte> bytes);

}  // namespace wake::test
