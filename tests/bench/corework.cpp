// A fixed amount of work for broker-core, in memory, so that what it costs can be counted in instructions and
// compared from commit to commit (tests/bench/instructions). No socket, no clock, no chance: two runs of one
// binary differ by next to nothing.
//
//   corework SCENARIO     does one and prints how many deliveries measured_work() made
//   corework scenarios    their names
//   corework compiler     what built it
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker-core/broker.hpp"
#include "broker-core/packet/packet.hpp"

namespace {

using namespace wake::broker;
using namespace std::chrono_literals;

struct Scenario {
  std::string_view name;
  unsigned publishers, subscribers;
  Qos qos;
  bool is_paired = false;  // publisher i to subscriber i alone, else all to all
  bool is_away = false;    // the subscribers' sessions are durable, and nobody is connected
  unsigned rounds = 0;
};

constexpr unsigned kBurst = 4;  // publishes of one publisher in one round, as one read of its socket
constexpr Scenario kScenarios[] = {
    {"fan-out-qos0", 1, 100, Qos::AtMostOnce, false, false, 50},
    {"fan-out-qos1", 1, 100, Qos::AtLeastOnce, false, false, 50},
    {"fan-in-qos1", 100, 1, Qos::AtLeastOnce, false, false, 50},
    {"pairs-qos0", 100, 100, Qos::AtMostOnce, true, false, 50},
    {"pairs-qos1", 100, 100, Qos::AtLeastOnce, true, false, 50},
    {"away-qos1", 4, 10, Qos::AtLeastOnce, false, true, 50},
};

struct Client {
  ConnectionId connection;
  std::vector<std::byte> burst;  // what a publisher sends each round
  std::vector<std::byte> acks;   // what a subscriber answers
};

/// The shell and the clients, as cheap as they can be.
class Work {
 public:
  explicit Work(const Scenario& scenario) : scenario_(scenario), broker_({}, {}, {.seed = 1}) {
    now_ = {SteadyTime(1000h), UtcTime(std::chrono::sys_days{std::chrono::year{2026} / 11 / 21})};
    for (unsigned i = 0; i < scenario.subscribers; ++i) subscribe(connect("reader-" + std::to_string(i)), i);
    if (scenario.is_away) leave_all();
    for (unsigned i = 0; i < scenario.publishers; ++i) make_burst(connect("writer-" + std::to_string(i)), i);
  }

  void run_round() {
    now_.steady += 100us;
    now_.utc += std::chrono::microseconds(100);
    for (Client& client : clients_) {
      if (!client.burst.empty()) broker_.on_bytes(client.connection, client.burst, now_);
    }
    settle();
    if (const auto due = broker_.next_deadline(); due && *due <= now_.steady) broker_.on_deadline(now_);
  }
  std::uint64_t delivered() const {
    return scenario_.is_away ? broker_.counters().messages_stored : broker_.counters().publishes_sent;
  }

 private:
  Client& connect(const std::string& id) {
    Client& client = clients_.emplace_back();
    client.connection = broker_.accept({}, now_);
    if (by_slot_.size() <= slot_of(client.connection)) by_slot_.resize(slot_of(client.connection) + 1);
    by_slot_[slot_of(client.connection)] = &client;
    send(client, Connect{.version = Version::V311,
                         .clean_start = !scenario_.is_away,
                         .keep_alive_s = 0,
                         .client_id = id,
                         .will = {},
                         .username = {},
                         .password = {},
                         .properties = {}});
    return client;
  }
  std::string topic_of(unsigned i) const {
    return "plant/hall/machine/" + std::to_string(scenario_.is_paired ? i : 0) + "/temperature";
  }
  void subscribe(Client& client, unsigned i) {
    send(client, Subscribe{.packet_id = {1},
                           .requests = {{.filter = topic_of(i), .qos = scenario_.qos}},
                           .subscription_id = 0,
                           .user_properties = {}});
  }
  void leave_all() {
    for (const Client& client : clients_) broker_.on_closed(client.connection, now_);
    clients_.clear();
    settle();
  }
  void make_burst(Client& client, unsigned i) {
    const std::string topic = topic_of(i), payload(64, 'x');
    for (unsigned k = 1; k <= kBurst; ++k) {
      const PacketId id{static_cast<std::uint16_t>(scenario_.qos == Qos::AtMostOnce ? 0 : k)};
      write(Publish{.dup = false,
                    .qos = scenario_.qos,
                    .retain = false,
                    .topic = topic,
                    .packet_id = id,
                    .properties = {},
                    .payload = as_bytes(payload)},
            Version::V311, client.burst);
    }
  }
  template <class P>
  void send(Client& client, const P& packet) {
    std::vector<std::byte> bytes;
    write(packet, Version::V311, bytes);
    broker_.on_bytes(client.connection, bytes, now_);
    settle();
  }

  /// The shell's duties, until nothing moves.
  void settle() {
    for (bool has_moved = true; has_moved;) {
      has_moved = carry_out_effects();
      if (broker_.has_persist()) {
        broker_.on_committed(broker_.take_persist().batch, now_);
        has_moved = true;
      }
      for (const ConnectionId id : broker_.take_touched()) {
        has_moved = true;
        take_output(*by_slot_[slot_of(id)]);
      }
    }
  }
  bool carry_out_effects() {
    const Effects effects = broker_.take_effects();
    for (const Effect& effect : effects) {
      if (const auto* ask = std::get_if<Authenticate>(&effect)) {
        AuthOutcome outcome{.kind = AuthOutcome::Kind::Allowed, .principal = {}, .grants = {}};
        outcome.grants.is_superuser = true;
        broker_.on_authenticated(ask->connection, std::move(outcome), now_);
      }
    }
    return !effects.empty();
  }
  void take_output(Client& client) {
    Outbound& output = broker_.output(client.connection);
    while (!output.is_empty()) {
      Bytes pieces[8];
      const std::size_t count = output.gather(pieces, 8);
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; ++i) {
        acknowledge(client, pieces[i]);
        size += pieces[i].size();
      }
      output.consume(size);
    }
    broker_.on_written(client.connection, now_);
    if (!client.acks.empty()) broker_.on_bytes(client.connection, client.acks, now_);
    client.acks.clear();
  }
  /// Every packet here has under 128 bytes, so its length is one.
  static void acknowledge(Client& client, Bytes packets) {
    for (std::size_t at = 0; at < packets.size(); at += 2 + std::to_integer<std::size_t>(packets[at + 1])) {
      if ((packets[at] & std::byte{0xF6}) != std::byte{0x32}) continue;  // PUBLISH, QoS 1
      const std::size_t id = at + 4 + std::to_integer<std::size_t>(packets[at + 3]);
      for (const std::byte byte : {std::byte{0x40}, std::byte{2}, packets[id], packets[id + 1]})
        client.acks.push_back(byte);
    }
  }

  const Scenario scenario_;
  Broker broker_;
  Now now_;
  std::deque<Client> clients_;
  std::vector<Client*> by_slot_;
};

}  // namespace

/// What is counted: callgrind collects inside this function only. The first rounds, when memory is taken that
/// is used again afterwards, are left out.
extern "C" __attribute__((noinline)) void measured_work(void* work, unsigned rounds) {
  for (unsigned i = 0; i < rounds; ++i) static_cast<Work*>(work)->run_round();
}

namespace {

int work(const Scenario& scenario) {
  Work work(scenario);
  for (unsigned i = 0; i < 10; ++i) work.run_round();
  const std::uint64_t before = work.delivered();
  measured_work(&work, scenario.rounds);
  const unsigned long long made = work.delivered() - before;
  const unsigned long long expected =
      1ull * scenario.rounds * kBurst * scenario.publishers * (scenario.is_paired ? 1 : scenario.subscribers);
  std::printf("%llu\n", made);
  if (made == expected) return 0;
  std::fprintf(stderr, "corework: %llu deliveries, not %llu\n", made, expected);
  return 1;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view word = count == 2 ? words[1] : "";
  if (word == "compiler") return std::puts(__VERSION__) < 0;
  for (const Scenario& scenario : kScenarios) {
    if (word == scenario.name) return work(scenario);
    if (word == "scenarios") std::puts(scenario.name.data());
  }
  if (word == "scenarios") return 0;
  std::fprintf(stderr, "corework compiler | scenarios | SCENARIO\n");
  return 2;
}
