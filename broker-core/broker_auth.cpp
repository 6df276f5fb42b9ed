// Enhanced authentication (v5 §4.12): the exchange of AUTH packets before CONNACK, and again while connected.
// What the data mean is the shell's business: each packet of the client becomes an Authenticate with the
// state that the last answer left here, so nothing is kept elsewhere for a client that goes away in between.
//
//   CONNECT or AUTH 0x19 --Authenticate--> Continue: AUTH 0x18 --AUTH 0x18--> Authenticate ... --> Allowed
//
// Before CONNACK input waits while the shell thinks; connect_timeout bounds the whole. While connected other
// packets go on under the old permission.
#include "broker-core/broker_state.hpp"

namespace wake::broker {

void Broker::State::on_frame_before_connack(Connection& connection, const Frame& frame, Now now) {
  if (frame.type() == PacketType::Auth) return on_auth(connection, frame, now);
  if (frame.type() == PacketType::Disconnect) {
    return close(connection, "the client disconnected before it was authenticated", false, now);
  }
  ++counters.packets_malformed;
  fail(connection, ReasonCode::ProtocolError,
       "unexpected " + std::string(to_string(frame.type())) + " before CONNACK", now);  // v5 [MQTT-3.1.2-30]
}

void Broker::State::on_auth(Connection& connection, const Frame& frame, Now now) {
  auto parsed = parse_auth(frame, connection.version);
  if (const auto* error = std::get_if<ParseError>(&parsed)) {
    ++counters.packets_malformed;
    return fail(connection, error->reason, "malformed AUTH: " + std::string(to_string(error->reason)), now);
  }
  const Auth& auth = std::get<Auth>(parsed);
  Exchange* exchange = connection.exchange.get();
  const bool is_its_method = exchange && auth.properties.authentication_method == exchange->method;
  const bool begins_anew = connection.phase == Connection::Phase::Active &&
                           auth.reason == ReasonCode::Reauthenticate && is_its_method &&
                           exchange->turn == Exchange::Turn::Nobodys;
  const bool continues = auth.reason == ReasonCode::ContinueAuthentication && is_its_method &&
                         exchange->turn == Exchange::Turn::Clients;
  if (!begins_anew && !continues) {
    ++counters.packets_malformed;
    return fail(connection, ReasonCode::ProtocolError, "AUTH that belongs to no exchange", now);
  }
  ask(connection, auth.properties.authentication_data);
}

void Broker::State::ask(Connection& connection, std::optional<Bytes> data) {
  Exchange& exchange = *connection.exchange;
  const bool is_active = connection.phase == Connection::Phase::Active;
  exchange.turn = Exchange::Turn::Ours;
  Authenticate question{.connection = connection.id,
                        .certificate_cn = connection.listener->certificate_cn,
                        .address = connection.listener->address,
                        .protocol = connection.listener->protocol,
                        .client_id = {},
                        .logins = connection.listener->logins};
  question.client_id = is_active ? sessions[connection.session]->client_id : connection.pending->client_id;
  question.method = exchange.method;
  if (data) question.data = as_text(*data);
  question.state = std::exchange(exchange.state, {});
  if (!is_active) connection.is_input_paused = true;
  effects.push_back(std::move(question));
}

void Broker::State::continue_exchange(Connection& connection, AuthOutcome outcome) {
  Exchange& exchange = *connection.exchange;
  exchange.turn = Exchange::Turn::Clients;
  exchange.state = std::move(outcome.state);
  send_auth(connection, ReasonCode::ContinueAuthentication, outcome.data);
  resume_input(connection);
}

void Broker::State::send_auth(Connection& connection, ReasonCode reason, const std::string& data) {
  Auth auth{.reason = reason, .properties = {}};
  auth.properties.authentication_method = connection.exchange->method;
  if (!data.empty()) auth.properties.authentication_data = as_bytes(data);
  send(connection, auth);
}

void Broker::State::on_reauthenticated(Connection& connection, AuthOutcome outcome, Now now) {
  Session& session = *sessions[connection.session];
  connection.exchange->turn = Exchange::Turn::Nobodys;
  if (outcome.kind == AuthOutcome::Kind::Unavailable) {
    return fail(connection, ReasonCode::ServerBusy, "cannot check the credentials now, try again", now);
  }
  if (outcome.kind != AuthOutcome::Kind::Allowed || !(outcome.principal == session.principal)) {
    return fail(connection, ReasonCode::NotAuthorized, "re-authentication failed", now);
  }
  session.grants = std::move(outcome.grants);
  revoke_subscriptions(session);
  send_auth(connection, ReasonCode::Success, outcome.data);
}

}  // namespace wake::broker
