// One of the two MQTT connections that a bridge joins, seen from the client's side: CONNECT and its answer,
// what the broker allows, life signs, and when to try again. Not here: messages (flow.hpp), sockets (the
// shell).
//
//   Waiting --deadline--> Opening --opened()--> Connecting --CONNACK--> Up --lost()--> Waiting ...
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/packet/packet.hpp"
#include "broker-core/packet/publish_template.hpp"
#include "broker-core/session/outbound.hpp"

namespace wake::broker {

struct LinkOptions {
  Version version = Version::V5;  // V311 or V5
  std::string client_id;
  std::optional<std::string> username;
  std::optional<std::string> password;  // never logged
  bool is_marked = true;                // 3.1.1: say in the CONNECT that a bridge comes, for no-local
  bool clean_start = false;             // else the broker keeps the session while we are away
  std::uint16_t keep_alive_s = 60;      // how often life is asked for
  std::uint32_t max_packet_bytes = 1024 * 1024;
  std::uint16_t receive_maximum = 100;
  std::chrono::milliseconds answer_within{10'000};  // to open the socket, and again for the CONNACK
};

class Link {
 public:
  enum class Phase : std::uint8_t { Waiting, Opening, Connecting, Up, Ended };
  /// What to do at a deadline.
  enum class Due : std::uint8_t { Nothing, Open, GiveUp };

  /// After the first loss half a second to one second, doubling to the minute; reset by half a minute of
  /// life.
  static constexpr std::chrono::seconds kFirstRetry{1};
  static constexpr std::chrono::seconds kLongestRetry{60};
  static constexpr std::chrono::seconds kGoodWhile{30};

  /// `seed` makes the jitter.
  Link(LinkOptions options, std::uint64_t seed);

  Phase phase() const { return phase_; }
  bool is_up() const { return phase_ == Phase::Up; }
  bool is_open() const { return phase_ == Phase::Connecting || phase_ == Phase::Up; }
  Version version() const { return options_.version; }
  const LinkOptions& options() const { return options_; }
  /// From the next CONNECT on.
  void set_credentials(std::optional<std::string> username, std::optional<std::string> password);

  // ---- what the broker said in its CONNACK; valid while up
  bool has_session() const { return has_session_; }
  bool has_no_local() const { return options_.version == Version::V5 || is_marked_; }
  std::uint16_t receive_maximum() const { return receive_maximum_; }
  std::uint32_t max_packet_bytes() const { return max_packet_bytes_; }
  Qos maximum_qos() const { return maximum_qos_; }
  bool takes_retained() const { return takes_retained_; }

  // ---- events
  /// The socket (and TLS) is there: CONNECT goes out.
  void opened(Now now);
  /// Empty: up. Else why not; the caller loses the link.
  std::optional<std::string> on_connack(const Connack& connack, Now now);
  void heard(Now) { is_asked_ = false; }
  /// While up: the next sign of life is asked for after `least` to three times that, by chance.
  void ask_soon(std::chrono::seconds least, Now now);
  /// The connection is gone or given up, whoever wanted it.
  void lost(Now now);
  /// After lost(): its cause is out of the way, so the next try need not wait longer than a first one.
  void excuse_losses(Now now);
  void end() { phase_ = Phase::Ended; }
  /// After end(): as at first.
  void begin();
  Due on_deadline(Now now);
  SteadyTime deadline() const { return phase_ == Phase::Ended ? SteadyTime::max() : deadline_; }

  // ---- requests (SUBSCRIBE, UNSUBSCRIBE) of this connection
  void asked() { ++unanswered_; }
  void answered() { unanswered_ -= std::min(unanswered_, 1u); }
  bool has_answers() const { return unanswered_ == 0; }

  // ---- sending; only while open
  Outbound& output() { return output_; }
  const Outbound& output() const { return output_; }
  template <class P>
  void send(const P& packet) {
    write(packet, options_.version, output_.own_bytes());
    output_.own_bytes_written();
  }
  void send(const PublishTemplate& publish, PacketId packet_id, bool dup);

 private:
  std::chrono::milliseconds next_delay();

  LinkOptions options_;
  std::uint64_t random_;
  Phase phase_ = Phase::Waiting;
  SteadyTime deadline_{};  // due at once, at first
  SteadyTime up_since_{};
  unsigned losses_ = 0;    // since the last good while
  bool is_asked_ = false;  // PINGREQ is out and nothing came since
  bool is_marked_;         // not any more, once the broker has refused it
  bool has_session_ = false;
  std::uint16_t receive_maximum_ = 65'535;
  std::uint32_t max_packet_bytes_ = 0xFFFFFFFF;
  Qos maximum_qos_ = Qos::ExactlyOnce;
  bool takes_retained_ = true;
  unsigned unanswered_ = 0;
  Outbound output_;
};

}  // namespace wake::broker
