// What the core asks of the shell, as values. The shell carries each out and answers with the named event of
// Broker. Bytes to write are not here: they lie in the connection's Outbound, and Broker::take_touched() says
// whose.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker-core/access/grants.hpp"
#include "broker-core/delivery/records.hpp"
#include "broker-core/packet/reason_code.hpp"
#include "broker-core/persist.hpp"
#include "broker-core/topic/share_groups.hpp"
#include "broker-core/types.hpp"

namespace wake::broker {

/// One accepted socket of this shard: slot in the low half, generation in the high, so that a late answer
/// finds nobody.
using ConnectionId = Named<struct ConnectionIdTag, std::uint64_t>;
inline std::uint32_t slot_of(ConnectionId id) { return static_cast<std::uint32_t>(id.value); }

/// What the shell knows of a connection when it accepts it.
struct ListenerFacts {
  std::string protocol = "mqtt";  // as in [[listener]]
  std::string address{};          // peer, "host:port"
  std::string certificate_cn{};   // of a verified client certificate, else empty
  SteadyTime accepted_at{};       // connect_timeout counts from here; unset: from Broker::accept
  std::uint32_t logins = 0;       // what the listener lets in, for whoever answers Authenticate; 0: no rules
};

/// Write what is in the Outbound, then close (half-close, drain, close).
struct Close {
  ConnectionId connection{};
  std::string reason{};  // for the log
};
/// The session lives on another shard: move the socket there, with every byte received so far. The core has
/// forgotten it.
struct Handover {
  ConnectionId connection{};
  unsigned shard = 0;
};
/// Input was refused for a while (on_bytes consumed nothing more); feed what is left again, then read on.
struct Resume {
  ConnectionId connection{};
};
/// Off the shard: who is it? Answer with on_authenticated. With a `method` it is one step of an enhanced
/// authentication (v5 §4.12), of a new connection or one that authenticates again.
struct Authenticate {
  ConnectionId connection{};
  std::optional<std::string> username{};
  std::optional<std::string> password{};  // never logged
  std::string certificate_cn{};
  std::string address{};
  std::string protocol{};  // as in ListenerFacts
  ClientId client_id{};
  std::uint32_t logins = 0;                 // as in ListenerFacts
  std::string method{};                     // "": by user name, password, certificate
  std::string data{};                       // of the client; never logged
  std::string state{};                      // of the last answer; "" at the first step; never logged
  SteadyTime deadline = SteadyTime::max();  // from then on nobody waits for the answer
};
/// Off the shard: what may this principal do now? Its will, of before a restart, is due. Answer with
/// on_will_judged.
struct JudgeWill {
  MessageId will{};
  ClientId client_id{};
  Principal principal{};
};
/// Read the oldest `limit` rows of the session's queue but for those we hold. Answer with on_queue_page.
struct LoadQueue {
  ClientId client_id{};
  std::uint64_t ticket = 0;
  std::vector<MessageId> except{};
  std::size_t limit = 0;
};
/// Hand this notification to the dispatcher: its row is committed and the decision is to wake.
struct Notice {
  MessageId message_id{};
  PhoneId phone_id{};
  std::shared_ptr<const MessageRecord> message{};
  std::shared_ptr<const EntryRecord> entry{};
  DeviceToken token{};
  std::string locale{};
  UtcTime expires_at{};
  int attempt_count = 0;
};
struct Notify {
  Notice notice{};
};
/// Acknowledged, or no longer permitted: if the dispatcher still has it, it must not leave.
struct CancelNotice {
  MessageId message_id{};
  PhoneId phone_id{};
};
/// The phone is no longer what it was when its notifications left for the dispatcher: its token, its account
/// or what it may see changed. What still waits there goes back to storage, to be read and decided anew.
struct RecallNotices {
  PhoneId phone_id{};
};
/// Off the shard: read the user once more. Answer with apply_user.
struct ReadUser {
  UserId user{};
};
/// A publish of the back end is settled, or refused.
struct PublishSettled {
  std::uint64_t ticket = 0;
  MessageId message_id{};
  ReasonCode reason{};  // Success | NoMatchingSubscribers | QuotaExceeded
};
/// A device published $wake/pair.
struct PairRequest {
  ClientId client_id{};
  Principal principal{};
  std::string payload{};
  std::string address{};  // peer, "host:port"
};
/// For the log and the counters. `event` is a fixed dotted name.
struct Incident {
  enum class Level : std::uint8_t { Debug, Info, Warn };
  Level level = Level::Info;
  const char* event = "";
  std::string text{};
};

using Effect = std::variant<Close, Handover, Resume, Authenticate, JudgeWill, LoadQueue, Notify, CancelNotice,
                            RecallNotices, ReadUser, PublishSettled, PairRequest, Incident>;
using Effects = std::vector<Effect>;

// ---- between shards
// ------------------------------------------------------------------------------------------------

/// The sender has (or no longer has) at least one match for this filter.
struct InterestMail {
  std::string filter{};
  bool add = true;
};
/// A session of the sender has joined or left a group (v5 §4.8.2). Goes to every shard, as InterestMail does.
struct ShareMail {
  std::string name{};  // "$share/NAME/FILTER"
  std::uint64_t session = 0;
  bool add = true;
  Readiness readiness = Readiness::Free;
};
/// A member of groups can take messages better or worse than before.
struct ReadinessMail {
  std::uint64_t session = 0;
  Readiness readiness = Readiness::Free;
};
/// A message for whoever matches there, and for the members of groups whose turn it is. When
/// `wants_settlement`, answered by SettledMail with the same id.
struct RouteMail {
  struct Turn {
    ShareName name{};
    std::uint64_t session = 0;
  };
  MessageRecord message{};
  bool wants_settlement = false;
  bool is_for_matches = true;  // else for `turns` alone
  std::uint8_t hops = 0;       // how often a turn has been passed on
  std::vector<Turn> turns{};
};
struct SettledMail {
  MessageId message_id{};
  bool is_refused = false;  // storage refused a row
  bool is_full = false;     // some receiver's queue is full
  bool is_taken = false;    // some receiver has it
};
/// A durable session of this principal began there, or ended: limits.max_sessions_per_principal.
struct SessionMail {
  std::string principal{};
  bool add = true;
};
/// Every shard keeps all retained messages.
struct RetainMail {
  RetainedChange change{};
};
/// The provisional message is final: it may leave now.
struct FinalMail {
  MessageId message_id{};
};
using Mail = std::variant<InterestMail, ShareMail, ReadinessMail, RouteMail, SettledMail, RetainMail,
                          FinalMail, SessionMail>;

}  // namespace wake::broker
