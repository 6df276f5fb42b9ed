#include "gateway/rest/codes.hpp"

#include <algorithm>
#include <cctype>

#include "gateway/auth/secret.hpp"

namespace wake::gateway::rest {

namespace {
constexpr int kMaxCodeTries = 5;
}

std::string normal_code(std::string code) {
  std::erase_if(code, [](char c) { return c == ' ' || c == '-'; });
  std::transform(code.begin(), code.end(), code.begin(), [](unsigned char c) { return std::toupper(c); });
  return code;
}

std::string new_code(const std::function<bool(const std::string& code)>& store) {
  for (int tries = 0; tries < kMaxCodeTries; ++tries) {
    std::string code = make_pairing_code();
    if (store(code)) return code;
  }
  throw internal_error();
}

CodeGuess::CodeGuess(const Call& call, std::string who)
    : throttle_(*call.context.options.codes), who_(std::move(who)), address_(call.request.address) {
  if (!throttle_.is_blocked(who_, address_)) return;
  const auto window_s = std::chrono::duration_cast<std::chrono::seconds>(CodeThrottle::kWindow).count();
  throw too_many_requests("There were too many wrong codes.", static_cast<int>(window_s));
}

Problem CodeGuess::missed(std::string what, std::string fix) const {
  throttle_.count_failure(who_, address_);
  Problem unknown = not_found(std::move(what));
  unknown.fix = std::move(fix);
  return unknown;
}

}  // namespace wake::gateway::rest
