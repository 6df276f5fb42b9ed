// A bridge as a machine: a client of our own broker and a client of another one, and what each publishes is
// published to the other. It stores nothing: what waits, waits in the two sessions, and is acknowledged there
// only when the other broker has acknowledged it (flow.hpp). Not here: sockets, TLS, names (gateway/bridge).
//
// Loops are cut in three places. Both subscriptions are no-local, so nothing goes back where it came from
// (3.1.1: by the bridge's sign in the protocol level). A message that passes a bridge is marked with the
// gateway's name in the user property `wake-via`; what comes back with it, by whatever way, is not let in
// again (5.0 only). And our own broker drops what any client brings with our mark.
//
// The shell's duties after every call: take_effects() and carry out; write output(side); keep one timer for
// next_deadline(); read no more of a side while it is not wanted. Threads: one at a time.
#pragma once

#include <array>
#include <string>
#include <variant>
#include <vector>

#include "broker-core/bridge/flow.hpp"
#include "broker-core/bridge/topic.hpp"
#include "broker-core/effects.hpp"

namespace wake::broker {

enum class BridgeSide : std::uint8_t { Local, Remote };

/// Everything that waits to be written, taken.
std::vector<std::byte> take_all(Outbound& output);

/// Connect; answer with opened() or closed().
struct OpenLink {
  BridgeSide side{};
};
/// Close; `last` (a DISCONNECT) goes out before, if it fits. Nothing that this connection still does is
/// reported.
struct CloseLink {
  BridgeSide side{};
  std::vector<std::byte> last{};
};
using RelayEffect = std::variant<OpenLink, CloseLink, Incident>;

struct RelayOptions {
  std::string name;
  std::string mark;  // the gateway's own, for `wake-via`; the same in all its processes
  std::vector<BridgeTopic> topics;
  std::vector<std::string> former_filters;  // asked of the remote broker once, and not wanted any more
  LinkOptions local;
  LinkOptions remote;
  std::uint32_t max_topic_levels = 64;
  std::uint64_t seed = 0;  // of the jitter
};

class Relay {
 public:
  struct Status {
    bool is_connected = false;  // to the remote broker
    std::string trouble;        // why not; empty while connected
    std::uint64_t connects = 0;
    Flow::Counters out;
    Flow::Counters in;
    std::uint64_t unwanted = 0;  // came in, and no `in` topic names it
    std::uint64_t looped = 0;    // came back to us
  };

  explicit Relay(RelayOptions options);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // ---- events
  void opened(BridgeSide side, Now now);
  /// The socket could not be opened, or the broker closed it.
  void closed(BridgeSide side, const std::string& why, Now now);
  /// The network between gave up (no route, no answer in time): that speaks against no message.
  void cut_off(BridgeSide side, const std::string& why, Now now) { lost(side, why, false, now); }
  /// Takes whole packets off the front; returns how many bytes it is done with. The shell keeps the rest.
  std::size_t on_bytes(BridgeSide side, Bytes in, Now now);
  void on_deadline(Now now);
  /// For the next connection.
  void set_credentials(std::optional<std::string> username, std::optional<std::string> password);
  /// DISCONNECT on both sides; nothing is opened again before begin().
  void end(Now now);
  /// After end(): both sides are wanted again.
  void begin();

  // ---- what to do
  std::vector<RelayEffect> take_effects() { return std::exchange(effects_, {}); }
  Outbound& output(BridgeSide side) { return link(side).output(); }
  /// Bytes of this side are taken at the moment. The local side's always are: it keeps to its Receive
  /// Maximum, and the acknowledgements that make room come through it.
  bool is_wanted(BridgeSide side) const;
  SteadyTime next_deadline() const;
  Status status() const;

 private:
  static constexpr std::size_t at(BridgeSide side) { return static_cast<std::size_t>(side); }
  static BridgeSide other(BridgeSide side) {
    return side == BridgeSide::Local ? BridgeSide::Remote : BridgeSide::Local;
  }
  Link& link(BridgeSide side) { return links_[at(side)]; }
  const Link& link(BridgeSide side) const { return links_[at(side)]; }
  Flow& flow_from(BridgeSide side) { return flows_[at(side)]; }
  const Flow& flow_from(BridgeSide side) const { return flows_[at(side)]; }

  void on_frame(BridgeSide side, const Frame& frame, Now now);
  void on_packet(BridgeSide side, const Packet& packet, Now now);
  void on_connack(BridgeSide side, const Connack& connack, Now now);
  void on_suback(BridgeSide side, const Suback& suback, Now now);
  void answered(BridgeSide side, Now now);
  void on_publish(BridgeSide side, const Publish& publish, Now now);
  void on_ack(BridgeSide side, const Ack& ack, Now now);
  void greet(BridgeSide side);
  void unsubscribe_former();
  template <class P>
  void ask(BridgeSide side, const P& request);
  void offer_retained();
  void subscribe(BridgeSide side, std::uint8_t retained_of_qos0, std::uint8_t retained_of_others);
  void give_up(BridgeSide side, ReasonCode reason, const std::string& why, Now now);
  void lost(BridgeSide side, const std::string& why, bool may_be_over_a_message, Now now);
  std::string properties_of(const Publish& publish) const;
  void report_refusals(BridgeSide sender);
  void report(Incident::Level level, const char* event, const std::string& text);

  const RelayOptions options_;
  std::array<Link, 2> links_;
  std::array<Flow, 2> flows_;                      // by who sends
  std::array<std::vector<std::string>, 2> asked_;  // filters of the last SUBSCRIBE, for the log
  std::uint64_t connects_ = 0, unwanted_ = 0, looped_ = 0;
  std::string trouble_ = "not connected yet";
  std::vector<RelayEffect> effects_;
};

}  // namespace wake::broker
