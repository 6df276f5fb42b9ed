// The log of every request: the newest in memory (bounded), all of them in a file when one was asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <fstream>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tests/sim/exchange.hpp"

namespace wake::sim {

struct Entry {
  std::uint64_t number = 0;  // 1, 2, ... since the start; given by the journal
  Time at;                   // when the request was complete
  std::int64_t took_ms = 0;  // until it was answered or given up
  Request request;
  int status = 0;       // 0: no answer was sent
  std::string reason;   // the provider's word, empty for a taken request
  std::string target;   // device token
  std::string outcome;  // shown, replaced, woken, stored, discarded, or "" when no phone saw it
  std::string fate;     // "" for answered; lost, refused_stream, goaway, reset, gone
};

class Journal {
 public:
  /// `file` empty: memory only. Throws std::runtime_error when the file cannot be opened.
  Journal(std::size_t limit, const std::string& file);

  void add(Entry);
  std::uint64_t last() const { return next_ - 1; }
  /// JSON lines of the entries after `since` that are still kept.
  std::string lines(std::uint64_t since) const;
  void clear() { kept_.clear(); }

 private:
  std::size_t limit_;
  std::uint64_t next_ = 1;
  std::deque<Entry> kept_;
  std::ofstream file_;
};

}  // namespace wake::sim
