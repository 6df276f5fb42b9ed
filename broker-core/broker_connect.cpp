// From bytes to a client: framing, CONNECT (v5 §3.1, v3.1.1 §3.1), and what the server answers.
#include <algorithm>

#include "broker-core/broker_state.hpp"
#include "broker-core/session/session_expiry.hpp"
#include "broker-core/topic/topic_name.hpp"

namespace wake::broker {

namespace {

std::unique_ptr<KeptWill> keep_will(const Will& will) {
  auto kept = std::make_unique<KeptWill>();
  WillRecord& record = kept->record;
  record.message.topic = will.topic;
  record.message.payload = as_text(will.payload);
  record.message.qos = will.qos;
  record.message.retain = will.retain;
  record.message.properties = forwardable_properties(will.properties);
  record.message_expiry_s = will.properties.message_expiry_s;
  record.delay_s = will.delay_s;
  return kept;
}

/// [MQTT-3.1.0-1]. An HTTP request or a telnet prompt may claim a length that never comes, so the type is
/// looked at alone.
bool begins_connect(Bytes in) {
  return std::to_integer<unsigned>(in.front()) >> 4 == static_cast<unsigned>(PacketType::Connect);
}

std::uint32_t session_expiry_of(const Connect& connect) {
  if (connect.version == Version::V5) return connect.properties.session_expiry_s.value_or(0);
  return connect.clean_start ? 0 : kNeverExpires;
}

/// v5 §4.10.1: a prefix below which the client may be answered, where its grants have one; "" otherwise.
std::string response_information_of(const ClientId& client_id, const AuthOutcome& outcome) {
  for (const std::string& name : {client_id.value, outcome.principal.id}) {
    std::string prefix = "response/" + name;
    const bool is_own = !name.empty() && outcome.grants.may_publish(prefix + "/1") &&
                        outcome.grants.may_subscribe(prefix + "/#");
    if (is_own) return prefix;
  }
  return {};
}

/// For a client that takes only small packets: a courtesy, and what is so unless told otherwise.
void leave_out_what_may_be(Properties& of_connack) {
  of_connack.response_information.reset();
  of_connack.shared_subscription_available.reset();
}

}  // namespace

std::size_t Broker::State::on_bytes(ConnectionId id, Bytes in, Now now) {
  Connection* connection = find(id);
  if (!connection || connection->phase == Connection::Phase::Closing) return in.size();
  connection->last_received = now.steady;
  counters.bytes_received += in.size();
  if (connection->session != Connection::kNoSession) phone_shows_life(*sessions[connection->session], now);
  if (connection->phase == Connection::Phase::AwaitConnect && !in.empty() && !begins_connect(in)) {
    ++counters.packets_malformed;
    close(*connection, "the first packet is no CONNECT", false, now);
    return in.size();
  }
  Bytes rest = in;
  while (!connection->is_input_paused && !rest.empty()) {
    const Bytes before = rest;
    const FrameResult result = take_frame(rest, limits.max_packet_bytes);
    if (std::holds_alternative<NeedMore>(result)) break;
    if (const auto* error = std::get_if<ParseError>(&result)) {
      ++counters.packets_malformed;
      fail(*connection, error->reason, "malformed packet: " + std::string(to_string(error->reason)), now);
      return in.size();
    }
    const Frame& frame = std::get<Frame>(result);
    ++counters.packets_received;
    if (connection->phase == Connection::Phase::AwaitConnect) {
      if (!on_connect(*connection, frame, now)) return in.size() - before.size();
    } else if (connection->phase == Connection::Phase::Authenticating) {
      on_frame_before_connack(*connection, frame, now);
    } else {
      on_frame(*connection, frame, now);
    }
    if (connection->phase == Connection::Phase::Closing) return in.size();
  }
  return in.size() - rest.size();
}

void Broker::State::on_frame(Connection& connection, const Frame& frame, Now now) {
  const auto take = [&](auto parsed, auto&& step) {
    if (const auto* error = std::get_if<ParseError>(&parsed)) {
      ++counters.packets_malformed;
      const std::string name(to_string(frame.type()));
      return fail(connection, error->reason,
                  "malformed " + name + ": " + std::string(to_string(error->reason)), now);
    }
    step(std::get<0>(parsed));
  };
  const Version version = connection.version;
  switch (frame.type()) {
    case PacketType::Publish:
      return on_publish(connection, frame, now);
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubcomp:
      return take(parse_ack(frame, version), [&](const Ack& ack) { on_ack(connection, ack, now); });
    case PacketType::Pubrel:
      return take(parse_ack(frame, version), [&](const Ack& ack) { on_pubrel(connection, ack); });
    case PacketType::Subscribe:
      return take(parse_subscribe(frame, version),
                  [&](const Subscribe& packet) { on_subscribe(connection, packet, now); });
    case PacketType::Unsubscribe:
      return take(parse_unsubscribe(frame, version),
                  [&](const Unsubscribe& packet) { on_unsubscribe(connection, packet, now); });
    case PacketType::Pingreq:
      return take(parse_pingreq(frame), [&](const Pingreq&) { send(connection, Pingresp{}); });
    case PacketType::Disconnect:
      return take(parse_disconnect(frame, version),
                  [&](const Disconnect& packet) { on_disconnect(connection, packet, now); });
    case PacketType::Auth:
      return on_auth(connection, frame, now);
    default:
      // A second CONNECT ([MQTT-3.1.0-2]), what only a server sends,
      ++counters.packets_malformed;
      return fail(connection, ReasonCode::ProtocolError, "unexpected " + std::string(to_string(frame.type())),
                  now);
  }
}

bool Broker::State::on_connect(Connection& connection, const Frame& frame, Now now) {
  auto parsed = parse_connect(frame);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    refuse_malformed(connection, frame, error->reason, now);
    return true;
  }
  const Connect& connect = std::get<Connect>(parsed);
  note_wishes(connection, connect);
  const auto refuse = [&](ReasonCode reason, const std::string& why) {
    refuse_connect(connection, reason, why);
    close(connection, why, false, now);
    return true;
  };
  if (is_failure(client_id_verdict(connect)) ||
      (!connect.client_id.empty() && !is_id_allowed(connect.client_id))) {
    return refuse(ReasonCode::ClientIdentifierNotValid,
                  "client id refused: 1 to 128 bytes without + # / and control characters");
  }
  if (!connect.client_id.empty()) {
    const unsigned home = home_shard(connect.client_id, identity.shard_count);
    if (home != identity.shard) {
      effects.push_back(Handover{connection.id, home});
      free_connections.push_back(slot_of(connection.id));
      --counters.connections;
      connections[slot_of(connection.id)].reset();
      return false;
    }
  }
  if (connect.will && !is_valid_topic_name(connect.will->topic, limits.max_topic_levels)) {
    if (connection.version != Version::V5) {  // v3.1.1 has no return code for it: [MQTT-4.8.0-1] closes
      ++counters.connects_refused;
      close(connection, "the will's topic is not a topic name", false, now);
      return true;
    }
    return refuse(ReasonCode::TopicNameInvalid, "the will's topic is not a topic name");
  }
  auto pending = std::make_unique<PendingConnect>();
  pending->is_assigned_id = connect.client_id.empty();
  if (pending->is_assigned_id) {
    // Salted with the connection's number until it is at home here.
    std::uint64_t salt = static_cast<std::uint64_t>(message_ids.next(now.utc).value);
    do {
      pending->client_id.value = "auto-" + std::to_string(salt++);
    } while (home_shard(pending->client_id.value, identity.shard_count) != identity.shard);
  } else {
    pending->client_id.value = connect.client_id;
  }
  pending->clean_start = connect.clean_start;
  pending->wants_response_information = connect.properties.request_response_information.value_or(false);
  pending->expiry_s = session_expiry_of(connect);
  if (connect.will) pending->will = keep_will(*connect.will);
  const auto cap = static_cast<std::uint16_t>(limits.max_keep_alive.count());
  pending->is_keep_alive_capped = cap != 0 && (connection.keep_alive_s == 0 || connection.keep_alive_s > cap);
  if (pending->is_keep_alive_capped) connection.keep_alive_s = cap;

  connection.pending = std::move(pending);
  connection.phase = Connection::Phase::Authenticating;
  if (const auto method = connect.properties.authentication_method) {
    connection.exchange = std::make_unique<Exchange>(Exchange{.method = std::string(*method), .state = {}});
    ask(connection, connect.properties.authentication_data);
    return true;
  }
  Authenticate question{.connection = connection.id,
                        .certificate_cn = connection.listener->certificate_cn,
                        .address = connection.listener->address,
                        .protocol = connection.listener->protocol,
                        .client_id = connection.pending->client_id,
                        .logins = connection.listener->logins,
                        .deadline = connection.deadline};
  if (connect.username) question.username = std::string(*connect.username);
  if (connect.password) question.password = std::string(as_text(*connect.password));
  connection.is_input_paused = true;
  effects.push_back(std::move(question));
  return true;
}

void Broker::State::refuse_malformed(Connection& connection, const Frame& frame, ReasonCode reason, Now now) {
  ++counters.packets_malformed;
  const std::string why = "malformed CONNECT: " + std::string(to_string(reason));
  // v5 §3.1.4, §4.13.1: who speaks 5.0 is told; 3.x has a word for the wrong version alone.
  const bool speaks_v5 = claimed_version(frame) == Version::V5;
  if (speaks_v5) connection.version = Version::V5;
  if (speaks_v5 || reason == ReasonCode::UnsupportedProtocolVersion) refuse_connect(connection, reason, why);
  close(connection, why, false, now);
}

/// What the client asks of us for as long as it is connected.
void Broker::State::note_wishes(Connection& connection, const Connect& connect) const {
  connection.version = connect.version;
  connection.is_bridge = connect.is_bridge;
  connection.keep_alive_s = connect.keep_alive_s;
  connection.receive_maximum = connect.properties.receive_maximum.value_or(65535);
  connection.max_packet_bytes = connect.properties.maximum_packet_bytes.value_or(0xFFFFFFFF);
  connection.wants_reasons = connect.properties.request_problem_information.value_or(true);
  const std::uint16_t aliases =
      std::min(connect.properties.topic_alias_maximum.value_or(0), limits.max_topic_aliases);
  if (aliases == 0) return;
  connection.aliases = std::make_unique<TopicAliases>();
  connection.aliases->out.allow(aliases);
}

void Broker::State::on_authenticated(Connection& connection, AuthOutcome outcome, Now now) {
  if (connection.exchange && outcome.kind == AuthOutcome::Kind::Continue)
    return continue_exchange(connection, std::move(outcome));
  if (connection.phase == Connection::Phase::Active)
    return on_reauthenticated(connection, std::move(outcome), now);
  const auto refuse = [&](ReasonCode reason, const std::string& why) {
    refuse_connect(connection, reason, why);
    close(connection, why + ", client " + connection.pending->client_id.value, false, now);
  };
  if (outcome.kind == AuthOutcome::Kind::Refused && connection.exchange)
    return refuse(ReasonCode::NotAuthorized, "authentication failed");
  if (outcome.kind == AuthOutcome::Kind::Refused)
    return refuse(ReasonCode::BadUserNameOrPassword, "wrong user name or password");
  if (outcome.kind == AuthOutcome::Kind::Unavailable) {
    return refuse(ReasonCode::ServerUnavailable, "cannot check the credentials now, try again");
  }
  if (outcome.kind == AuthOutcome::Kind::BadMethod) {
    return refuse(ReasonCode::BadAuthenticationMethod, "no such authentication method here");
  }
  const PendingConnect& pending = *connection.pending;
  const Session* held = find_session(pending.client_id.value);
  if (held && !(held->principal == outcome.principal)) {
    return refuse(ReasonCode::NotAuthorized, "the client id belongs to another account");
  }
  if (pending.will && !outcome.grants.may_publish(pending.will->record.message.topic)) {
    return refuse(ReasonCode::NotAuthorized, "no permission to publish the will's topic");
  }
  if (pending.will && ledger.bytes_waiting() > limits.max_unstored_bytes) {
    return refuse(ReasonCode::ServerBusy, "storage is behind, and the will cannot be kept");
  }
  const bool is_new = !held || !held->has_row;
  if (is_new && pending.expiry_s != 0 && !has_session_left(outcome.principal)) {
    return refuse(ReasonCode::QuotaExceeded,
                  outcome.principal.kind == Principal::Kind::Anonymous
                      ? "anonymous clients have as many sessions as [limits] max_anonymous_sessions allows"
                      : "the account has as many sessions as [limits] max_sessions_per_principal allows");
  }
  if (waits_for_leaver(connection, outcome, now)) return;
  accept_connect(connection, outcome, now);
}

void Broker::State::accept_connect(Connection& connection, AuthOutcome& outcome, Now now) {
  PendingConnect& pending = *connection.pending;
  Session* session = find_session(pending.client_id.value);
  const std::uint32_t expiry_s = session && session->phone ? kNeverExpires : granted_expiry(pending.expiry_s);
  Connack connack{.session_present = false, .reason = ReasonCode::Success, .properties = {}};
  std::string response_information;
  if (connection.version == Version::V5) {
    connack.properties = welcome(connection, outcome, expiry_s);
    if (pending.wants_response_information)
      response_information = response_information_of(pending.client_id, outcome);
    if (!response_information.empty()) connack.properties.response_information = response_information;
  }
  if (!takes(connection, connack)) leave_out_what_may_be(connack.properties);
  if (!takes(connection, connack)) {
    ++counters.connects_refused;
    return close(connection, "a CONNACK is larger than its Maximum Packet Size", false, now);
  }
  if (session && session->is_connected()) {
    fail(*connection_of(*session), ReasonCode::SessionTakenOver, "taken over by a new connection", now);
  }
  settle_restored_wills(pending.client_id, outcome, now);
  session = find_session(pending.client_id.value);  // gone when it ended with its connection
  connack.session_present = session && !pending.clean_start;
  if (session && pending.clean_start) purge(*session, now);
  if (!session) session = &make_session(pending.client_id, outcome.principal, pending.expiry_s);
  session->expiry_s = expiry_s;
  session->grants = std::move(outcome.grants);
  session->principal = std::move(outcome.principal);
  if (connack.session_present) revoke_subscriptions(*session);  // what was taken away while it was not here

  connection.phase = Connection::Phase::Active;
  connection.will = std::move(pending.will);
  connection.sends_wake_id =
      connection.version == Version::V5 && session->principal.kind != Principal::Kind::Anonymous;
  if (connection.will) hold_for_will(connection, *session);  // until then connect_timeout goes on
  connection.token_login = outcome.token_login;
  connection.credential = outcome.credential;
  if (outcome.expires_at) connection.expires_at = now.steady + (*outcome.expires_at - now.utc);
  if (!connection.is_held) arm_end(connection, now.steady);
  if (connection.exchange) connection.exchange->turn = Exchange::Turn::Nobodys;
  send(connection, connack);
  ++counters.connects_accepted;
  report(Incident::Level::Debug, "client.connected",
         pending.client_id.value + " from " + connection.listener->address);
  connection.pending.reset();
  attach(*session, connection, now);
  if (!connection.is_held) resume_input(connection);
}

/// What a 5.0 client is told in its CONNACK (v5 §3.2.2.3): views into what is given.
Properties Broker::State::welcome(const Connection& connection, const AuthOutcome& outcome,
                                  std::uint32_t expiry_s) const {
  const PendingConnect& pending = *connection.pending;
  Properties properties;
  if (pending.is_assigned_id) properties.assigned_client_id = pending.client_id.value;
  if (pending.is_keep_alive_capped) properties.server_keep_alive_s = connection.keep_alive_s;
  if (expiry_s != pending.expiry_s) properties.session_expiry_s = expiry_s;
  properties.receive_maximum = limits.receive_maximum;
  properties.maximum_packet_bytes = limits.max_packet_bytes;
  properties.shared_subscription_available = true;
  if (connection.exchange) {
    properties.authentication_method = connection.exchange->method;
    if (!outcome.data.empty()) properties.authentication_data = as_bytes(outcome.data);
  }
  if (limits.max_topic_aliases != 0) properties.topic_alias_maximum = limits.max_topic_aliases;
  return properties;
}

}  // namespace wake::broker
