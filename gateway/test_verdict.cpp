#include "gateway/test_verdict.hpp"

#include "push/channel_advice.hpp"

namespace wake::gateway {

namespace {

std::string unreachable_advice(const std::string& why, broker::Platform platform) {
  const std::string name = platform == broker::Platform::Apns ? "APNs" : "FCM";
  return name + " could not be reached from this gateway: " + std::string(push::advice_for_trouble(why)) +
         ". Pushes wait meanwhile; GET /readyz shows when it is reached again";
}

std::string advice_of(const push::TestResult& result, broker::Platform platform) {
  using push::Verdict;
  const bool is_answered = result.status != 0;
  switch (result.verdict) {
    case Verdict::Accepted:
      return {};
    case Verdict::Retry:
    case Verdict::RetryElsewhere:
      return is_answered ? "the provider has trouble of its own: try again; pushes are repeated by themselves"
                         : unreachable_advice(result.reason, platform);
    case Verdict::RemoveToken:
      return "the token is dead, or of another app or environment: let the app fetch it and register again";
    case Verdict::HoldDevice:
      return "the phone is being sent too much: wait, and look for what pushes so often";
    case Verdict::DropMessage:
      if (is_answered) return "the provider refuses this push as it is built: report it with the reason";
      break;
    case Verdict::RefreshCredential:
    case Verdict::ChannelDown:
      break;
  }
  return std::string(push::advice_for(platform, result.reason));
}

}  // namespace

TestVerdict to_verdict(const push::TestResult& result, broker::Platform platform) {
  return {std::string(push::to_string(result.verdict)), result.status, result.reason,
          advice_of(result, platform)};
}

}  // namespace wake::gateway
