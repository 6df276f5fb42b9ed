// What a bridge carries, as Mosquitto's `topic` lines say it, and how a topic is called on either side.
//   pattern [out|in|both [qos [local-prefix [remote-prefix]]]]      "" stands for an empty pattern or prefix
// The local topic is local-prefix + x, the remote one remote-prefix + x, where x matches the pattern.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

struct BridgeTopic {
  enum class Direction : std::uint8_t { Out, In, Both };

  std::string pattern;  // empty: the prefixes are whole topics
  Direction direction = Direction::Out;
  Qos qos = Qos::AtMostOnce;  // of the subscription on the sending side: what is carried has at most this
  std::string local_prefix;
  std::string remote_prefix;

  bool goes_out() const { return direction != Direction::In; }
  bool comes_in() const { return direction != Direction::Out; }
  std::string local_filter() const { return local_prefix + pattern; }
  std::string remote_filter() const { return remote_prefix + pattern; }
  friend bool operator==(const BridgeTopic&, const BridgeTopic&) = default;
};

/// One line, or what is wrong with it: "a QoS of 0, 1 or 2, not \"3\"". Both filters are then valid; what
/// comes in lands in no topic that begins with $.
std::variant<BridgeTopic, std::string> parse_bridge_topic(std::string_view line);

/// The name on the other side, by the first line that goes this way and matches; empty: none does.
std::optional<std::string> to_remote(std::span<const BridgeTopic> topics, std::string_view local_topic);
std::optional<std::string> to_local(std::span<const BridgeTopic> topics, std::string_view remote_topic);

}  // namespace wake::broker
