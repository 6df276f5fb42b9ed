// Whole conversations: four clients of any version, bytes in any split, time, lost sockets, storage that is
// late, processes that end. No crash, no read outside, and every byte the broker sends is of a packet that
// its version has. The input is a list of steps, of which the conformance cases are some: see
// tests/conformance/case_file.cpp, which writes them, and Step below.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

constexpr std::size_t kClients = 4;
constexpr std::size_t kMaxSteps = 400;

void require(bool is_true) {
  if (!is_true) std::abort();
}

/// The low three bits of a step's first byte; the two above them say which client.
enum class Step { Send, SendMore, Hello, Wait, Drop, Storage, Process, Answering };

class Input {
 public:
  explicit Input(Bytes bytes) : bytes_(bytes) {}
  bool is_empty() const { return bytes_.empty(); }
  std::uint8_t next() {
    if (bytes_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::vector<std::byte> next(std::size_t size) {
    const Bytes taken = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  Bytes bytes_;
};

Limits limits_of(std::uint8_t options) {
  Limits limits;
  if ((options & 2) == 0) return limits;
  limits.max_packet_bytes = 512;
  limits.max_queued_messages = 3;
  limits.max_queued_bytes = 200;
  limits.max_inflight = 2;
  limits.max_subscriptions = 3;
  limits.publishes_per_second = 20;
  limits.max_keep_alive = std::chrono::seconds(30);
  return limits;
}

class Conversation {
 public:
  explicit Conversation(std::uint8_t options) : world_(1 + (options & 1), limits_of(options)) {
    for (std::size_t i = 0; i < kClients; ++i) {
      clients_[i].at = &world_.client(std::string(1, static_cast<char>('a' + i)));
      clients_[i].at->is_raw = true;
    }
    if ((options & 4) == 0) return;
    auto user = std::make_shared<UserRecord>();
    user->id = UserId{1};
    user->username = "u";
    user->device_ids = {"mine"};
    world_.users["u"] = user;
    world_.username_of["a"] = "u";
  }

  void play(Input& in) {
    const std::uint8_t first = in.next();
    Peer& peer = clients_[first >> 3 & 3];
    switch (static_cast<Step>(first & 7)) {
      case Step::Send:
      case Step::SendMore:
        send(peer, in.next(in.next()));
        break;
      case Step::Hello:
        hello(peer, in.next());
        break;
      case Step::Wait:
        world_.advance(std::chrono::milliseconds(1LL << (in.next() % 28)));
        break;
      case Step::Drop:
        world_.drop(*peer.at);
        break;
      case Step::Storage:
        storage(first >> 3 & 3);
        break;
      case Step::Process:
        process(first >> 3 & 3, in.next());
        break;
      case Step::Answering:
        peer.is_answering = !peer.is_answering;
        break;
    }
    for (Peer& one : clients_) read(one);
  }

  /// However it went, everything can be brought to an end.
  void finish() {
    world_.commits_by_itself = world_.answers_pages = true;
    world_.commit();
    world_.answer_pages();
    for (Peer& peer : clients_) world_.drop(*peer.at);
    for (unsigned k = 0; k < world_.shard_count(); ++k) require(world_.shard(k).counters().connections == 0);
  }

 private:
  struct Peer {
    Client* at = nullptr;
    bool is_known = false;  // its CONNECT was ours, so its version is known
    bool is_answering = false;
  };

  void open(Peer& peer, Version version) {
    world_.open(*peer.at, version, opened_++);
    peer.at->raw.clear();
    peer.is_known = false;
  }
  void send(Peer& peer, const std::vector<std::byte>& bytes) {
    if (!peer.at->is_connected) open(peer, Version::V311);
    world_.send_bytes(*peer.at, bytes);
  }
  void hello(Peer& peer, std::uint8_t how) {
    const auto version = static_cast<Version>(3 + how % 3);
    world_.drop(*peer.at);
    open(peer, version);
    peer.is_known = true;
    Connect connect{.version = version,
                    .clean_start = (how & 8) == 0,
                    .keep_alive_s = static_cast<std::uint16_t>((how & 16) != 0 ? 10 : 0),
                    .client_id = peer.at->id,
                    .will = {},
                    .username = {},
                    .password = {},
                    .properties = {}};
    if (version == Version::V5 && (how & 8) != 0) connect.properties.session_expiry_s = 100;
    if (version == Version::V5 && (how & 32) != 0) connect.properties.receive_maximum = 1;
    if (version == Version::V5 && (how & 64) != 0) connect.properties.topic_alias_maximum = 2;
    if (version == Version::V5 && (how & 128) != 0) connect.properties.maximum_packet_bytes = 40;
    world_.send(*peer.at, connect);
  }
  void storage(unsigned what) {
    if (what < 2) {
      world_.commits_by_itself = world_.answers_pages = what == 1;
      if (what == 1) world_.answer_pages();
    }
    if (what >= 1) world_.commit(what == 2 ? 1 : 1000);
  }
  void process(unsigned what, std::uint8_t argument) {
    if (what == 0) return world_.crash(argument % 4);
    if (what == 1) world_.verdict = static_cast<AuthOutcome::Kind>(argument % 3);
    const ClientId id{std::string(1, static_cast<char>('a' + argument % kClients))};
    Broker& home = world_.home_of(id.value);
    if (what == 2) home.kick(id, world_.now);
    if (what == 3) {
      for (const SessionView& view : home.sessions([](const Principal&) { return true; }))
        if (view.client_id == id) home.end_logins(view.principal, argument % 2 == 0, world_.now);
    }
    world_.settle();
  }

  /// Only of a client that we connected: of another the version is not known.
  void read(Peer& peer) {
    if (!peer.is_known) return peer.at->raw.clear();
    const std::vector<std::byte> got = std::exchange(peer.at->raw, {});
    Bytes rest(got);
    while (!rest.empty()) {
      const ParseResult result = parse(rest, peer.at->version, 1 << 28);
      require(std::holds_alternative<Packet>(result));
      if (peer.is_answering && peer.at->is_connected) answer(peer, std::get<Packet>(result));
    }
  }
  void answer(Peer& peer, const Packet& packet) {
    const auto reply = [&](PacketType type, PacketId id) {
      world_.send(*peer.at, Ack{type, id, ReasonCode::Success, {}, {}});
    };
    if (const auto* publish = std::get_if<Publish>(&packet); publish && publish->qos != Qos::AtMostOnce) {
      const bool is_once = publish->qos == Qos::ExactlyOnce;
      reply(is_once ? PacketType::Pubrec : PacketType::Puback, publish->packet_id);
    } else if (const auto* ack = std::get_if<Ack>(&packet)) {
      if (ack->type == PacketType::Pubrec && !is_failure(ack->reason))
        reply(PacketType::Pubrel, ack->packet_id);
      if (ack->type == PacketType::Pubrel) reply(PacketType::Pubcomp, ack->packet_id);
    }
  }

  World world_;
  Peer clients_[kClients];
  unsigned opened_ = 0;
};

}  // namespace
}  // namespace wake::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wake::test;
  Input in({reinterpret_cast<const std::byte*>(data), size});
  Conversation conversation(in.next());
  for (std::size_t steps = 0; !in.is_empty() && steps < kMaxSteps; ++steps) conversation.play(in);
  conversation.finish();
  return 0;
}
