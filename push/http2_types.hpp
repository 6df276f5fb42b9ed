// The words shared by the HTTP/2 machine, the connection and the client.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::push {

/// The caller's name for a request; comes back with its answer.
using RequestTag = std::uint64_t;

struct Http2Header {
  std::string_view name;  // lower case; must outlive the connection: a literal
  std::string_view value;
  /// RFC 7541 §6.2.2: keep it out of the compression table (values that never come again).
  bool is_not_indexed = false;
};

/// POST of `body` to `path`. Views are copied before submit() returns.
struct Http2Request {
  std::string_view path;
  std::span<const Http2Header> headers;
  std::string body;
};

struct Http2Answer {
  enum class Outcome : std::uint8_t {
    Answered,
    NotSeen,  // the peer surely never looked at it (RFC 9113 §8.7)
    Lost,     // it left; what became of it is unknown
  };
  Outcome outcome = Outcome::Answered;
  int status = 0;
  std::string apns_id;
  std::string retry_after;
  std::string body;     // at most kMaxAnswerBytes
  std::string failure;  // one phrase, when not Answered
  std::uint64_t connection_id = 0;
};

inline constexpr std::size_t kMaxAnswerBytes = 16 * 1024;

}  // namespace wake::push
