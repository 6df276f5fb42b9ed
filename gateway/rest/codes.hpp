// What codes of pairing and of invitations have in common: making them, reading them as people type them, and
// counting who guesses.
#pragma once

#include <functional>
#include <string>

#include "gateway/rest/call.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {

/// Upper case, without the spaces and dashes people put in.
std::string normal_code(std::string code);

/// A code that `store` took; it says false of one that is there already.
std::string new_code(const std::function<bool(const std::string& code)>& store);

/// One try of a code.
class CodeGuess {
 public:
  /// `who`: the device or user. Throws Problem 429 when there were too many wrong ones before
  /// (code_throttle.hpp).
  CodeGuess(const Call& call, std::string who);
  /// The code was wrong: counts it. The Problem 404 to throw, of `what` nobody has.
  Problem missed(std::string what, std::string fix) const;

 private:
  CodeThrottle& throttle_;
  const std::string who_;
  const std::string address_;
};

}  // namespace wake::gateway::rest
