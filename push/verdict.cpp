#include "push/verdict.hpp"

#include <utility>

namespace wake::push {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Accepted:
      return "accepted";
    case Verdict::DropMessage:
      return "drop_message";
    case Verdict::RemoveToken:
      return "remove_token";
    case Verdict::Retry:
      return "retry";
    case Verdict::RetryElsewhere:
      return "retry_elsewhere";
    case Verdict::RefreshCredential:
      return "refresh_credential";
    case Verdict::HoldDevice:
      return "hold_device";
    case Verdict::ChannelDown:
      return "channel_down";
  }
  return "unknown";
}

Answer answer_not_seen(std::string reason) {
  Answer answer;
  answer.verdict = Verdict::RetryElsewhere;
  answer.is_counted = false;
  answer.reason = std::move(reason);
  return answer;
}

Answer answer_lost(std::string reason) {
  Answer answer;
  answer.verdict = Verdict::RetryElsewhere;
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace wake::push
