// What every answer of a provider is reduced to. The tables are apns/verdict.cpp and fcm/verdict.cpp; what
// each verdict makes of a notification is dispatch_machine.cpp. Nothing here knows a socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::push {

enum class Verdict : std::uint8_t {
  Accepted,           // the provider took it; says nothing about the phone
  DropMessage,        // can never be sent as built; the token is fine
  RemoveToken,        // the token is dead for this app
  Retry,              // transient: back off, same ids
  RetryElsewhere,     // the connection failed, not the message: another connection, same ids
  RefreshCredential,  // provider token or access token is stale: one refresh, one retry
  HoldDevice,         // this phone is being sent too much
  ChannelDown,  // credential, topic or project is wrong: stop the app's channel, keep every notification
};
std::string_view to_string(Verdict verdict);
inline std::ostream& operator<<(std::ostream& out, Verdict verdict) { return out << to_string(verdict); }

/// What a row of a table asks for beyond its verdict.
enum class Reaction : std::uint8_t {
  None,
  Alarm,                // our own bug: one loud line
  TryOtherEnvironment,  // once, if the phone's environment was never proven; else the token is dead
  WithoutPayload,       // once more with the payload left out; else dropped
  RetireConnection,     // this connection will not recover: no new request on it
  PauseMinting,         // no new provider token for 20 min
  WholeApp,             // the wait holds the app's channel, not only this notification
  ThisTargetOnly,       // wrong for this kind of phone only; the channel goes on for the others
  IfOthersAccepted,     // removes the token only if this channel has had pushes accepted, else drops
};
inline std::ostream& operator<<(std::ostream& out, Reaction reaction) { return out << int(reaction); }

/// One row of a provider's table. `words` are the provider's own, shortened.
struct VerdictRow {
  int status;
  std::string_view reason;
  Verdict verdict;
  Reaction reaction;
  std::string_view words;
};

/// One answer, understood. `is_counted` says whether it uses up an attempt (the provider may have seen it).
struct Answer {
  Verdict verdict = Verdict::Accepted;
  Reaction reaction = Reaction::None;
  bool is_counted = true;
  int status = 0;           // HTTP; 0: no answer came
  std::string reason;       // the provider's word, or ours for a transport failure
  std::string provider_id;  // apns-id echoed, FCM's message name
  std::optional<std::chrono::seconds> retry_after;
  std::optional<broker::UtcTime> invalid_since;  // 410: the token was dead at this time
};

/// The peer surely never saw it: REFUSED_STREAM, above GOAWAY's last-stream-id (RFC 9113 §8.7). Not counted.
Answer answer_not_seen(std::string reason);
/// The request left and no answer came: it may have been delivered. Counted; repeated with the same ids.
Answer answer_lost(std::string reason);

}  // namespace wake::push
