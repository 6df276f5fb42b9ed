// Scripted answers: what a test wants the provider to do with the next requests for a token. One answer is
// used up by one request that the rules would have taken; a request the rules refuse leaves the script alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

/// When the phone gets the push of a scripted request.
enum class Show {
  WhenTaken,  // with a 2xx answer or a lost one, at the moment of the answer; never with a refusal
  Never,
  Always,  // also with a refusal: FCM's "503, but delivered"
  First,   // at once, before the delay
};

/// What becomes of the answer.
enum class Fate {
  Sent,
  Closed,  // the TCP connection is closed instead
  Silent,  // the stream stays open for ever
  Reset,   // RST_STREAM with `reset_code`
  Frozen,  // the whole connection goes quiet and stays open: TCP that died without FIN
};

struct GoAway {
  std::string reason = "Shutdown";  // in the frame's JSON body; empty: no body
  bool include_this = true;         // false: this stream is above last-stream-id and was never looked at
};

struct Answer {
  std::optional<int> status;  // default: that of `reason`, else 200
  std::string reason;
  std::optional<std::int64_t> timestamp_ms;  // APNs 410
  std::optional<std::chrono::milliseconds> delay;
  std::string retry_after;  // sent as it is; "date:5" becomes the HTTP date 5 s from now
  std::optional<std::string> raw_body;
  std::string content_type;                       // of raw_body
  Headers headers;                                // added
  std::shared_ptr<const nlohmann::json> details;  // FCM error.details, instead of the usual ones
  std::optional<Show> show;                       // default WhenTaken
  Fate fate = Fate::Sent;
  std::uint32_t reset_code = 0;
  bool refuse_stream = false;  // RST_STREAM REFUSED_STREAM, never looked at
  std::optional<GoAway> goaway;

  bool refuses() const { return !reason.empty() || (status && *status >= 300); }
  bool never_seen() const { return refuse_stream || (goaway && !goaway->include_this); }
};

/// One answer of `POST /script`. Throws std::invalid_argument naming what is unknown or of a wrong type.
Answer parse_answer(const nlohmann::json&);

class ScriptBook {
 public:
  /// Puts answers behind those already waiting for the token; "*" is for every token without answers of its
  /// own.
  void add(const std::string& token, std::vector<Answer> answers);
  /// The next answer for the token, used up; nullopt: behave normally.
  std::optional<Answer> take(const std::string& token);
  void clear() { waiting_.clear(); }
  std::size_t size() const;

 private:
  std::unordered_map<std::string, std::deque<Answer>> waiting_;  // no empty queues
};

}  // namespace wake::sim
