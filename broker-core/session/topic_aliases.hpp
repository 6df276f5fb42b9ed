// Topic aliases (v5 §3.3.2.3.4): numbers that stand for topics, one table per connection and direction. They
// end with the connection, so a message sent again after a reconnect never carries a stale one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker-core/packet/reason_code.hpp"

namespace wake::broker {

/// What the client defined. Bounded by [limits] max_topic_aliases topics.
class IncomingAliases {
 public:
  /// Remembers a topic that is given with its alias, or puts the remembered one into an empty `topic`, which
  /// then views this table until the alias is defined anew.
  ///   returns  Success | TopicAliasInvalid (above `maximum`) | ProtocolError (empty topic, alias not
  ///   defined)
  ReasonCode resolve(std::uint16_t alias, std::string_view& topic, std::uint16_t maximum) {
    if (alias == 0 || alias > maximum) return ReasonCode::TopicAliasInvalid;
    if (topics_.size() < alias) topics_.resize(alias);
    std::string& known = topics_[alias - 1u];
    if (!topic.empty()) known = topic;
    if (known.empty()) return ReasonCode::ProtocolError;
    topic = known;
    return ReasonCode::Success;
  }

 private:
  std::vector<std::string> topics_;  // by alias - 1; empty: not defined
};

/// What we define towards the client: the first topics it is sent, until the table is full. Not the most
/// frequent ones: a client that has few topics gains all there is, and one that has many loses nothing.
class OutgoingAliases {
 public:
  struct Alias {
    std::uint16_t number = 0;
    bool is_new = false;  // the packet must carry both, once
  };

  void allow(std::uint16_t maximum) { maximum_ = maximum; }
  bool has_place_for(std::string_view topic) const {
    return numbers_.size() < maximum_ || (maximum_ != 0 && numbers_.contains(topic));
  }
  /// The alias to send this topic with; a new one counts as sent. has_place_for() must have said so.
  Alias take(std::string_view topic) {
    const auto known = numbers_.find(topic);
    if (known != numbers_.end()) return {known->second, false};
    const auto number = static_cast<std::uint16_t>(numbers_.size() + 1);
    numbers_.emplace(topic, number);
    return {number, true};
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::uint16_t maximum_ = 0;
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> numbers_;
};

}  // namespace wake::broker
