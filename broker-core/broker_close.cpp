// The end of a connection: what the peer is told (v5 §4.13), DISCONNECT, keep-alive, and the one way a
// connection is closed by us.
#include <algorithm>

#include "broker-core/broker_state.hpp"

namespace wake::broker {

namespace {

/// CONNACK has no word for some ends (v5 §3.2.2.2, Table 3-1).
ReasonCode connack_reason_of(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::ServerShuttingDown:
    case ReasonCode::SessionTakenOver:
      return ReasonCode::ServerUnavailable;
    case ReasonCode::AdministrativeAction:
      return ReasonCode::NotAuthorized;
    default:
      return reason;
  }
}

/// The client broke the protocol or a limit. Before 5.0 it is not told, so the operator is.
bool is_fault_of_client(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::MalformedPacket:
    case ReasonCode::ProtocolError:
    case ReasonCode::TopicNameInvalid:
    case ReasonCode::ReceiveMaximumExceeded:
    case ReasonCode::TopicAliasInvalid:
    case ReasonCode::PacketTooLarge:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Broker::State::refuse_connect(Connection& connection, ReasonCode reason, const std::string& why) {
  ++counters.connects_refused;
  Connack connack{.session_present = false, .reason = reason, .properties = {}};
  send_reason(connection, connack, why);
}

void Broker::State::on_disconnect(Connection& connection, const Disconnect& disconnect, Now now) {
  if (connection.version == Version::V5 && disconnect.properties.session_expiry_s) {
    Session& session = *sessions[connection.session];
    const std::uint32_t expiry_s = *disconnect.properties.session_expiry_s;
    // v5 §3.14.2.2.2: from 0 it cannot be raised.
    if (session.expiry_s == 0 && expiry_s != 0) {
      return fail(connection, ReasonCode::ProtocolError, "DISCONNECT raises a session expiry of 0", now);
    }
    if (!session.phone) session.expiry_s = granted_expiry(expiry_s);
  }
  const bool fires_will = disconnect.reason != ReasonCode::NormalDisconnection;
  close(connection, "the client disconnected", fires_will, now);
}

void Broker::State::fail(Connection& connection, ReasonCode reason, std::string why, Now now) {
  if (connection.phase == Connection::Phase::Authenticating) {
    refuse_connect(connection, connack_reason_of(reason), why);
  } else if (connection.is_held) {
    refuse_held(connection, connack_reason_of(reason), why);
  } else if (connection.phase == Connection::Phase::Active && connection.version == Version::V5) {
    send_reason(connection, Disconnect{.reason = reason, .properties = {}}, why);
  }
  if (connection.session != Connection::kNoSession && is_fault_of_client(reason))
    report(Incident::Level::Info, "client.faulty",
           sessions[connection.session]->client_id.value + ": " + why);
  close(connection, std::move(why), true, now);
}

void Broker::State::close(Connection& connection, std::string why, bool fires_will, Now now) {
  if (connection.phase == Connection::Phase::Closing) return;
  connection.phase = Connection::Phase::Closing;
  connection.is_input_paused = false;
  if (connection.session != Connection::kNoSession) {
    Session& session = *sessions[connection.session];
    report(Incident::Level::Debug, "client.closed", session.client_id.value + ": " + why);
    end_will(connection, session, fires_will);
    connection.session = Connection::kNoSession;
    detach(session, fires_will, now);
  } else if (!is_shutting_down) {
    // Left without a word: a port scan, or somebody's health check.
    const bool is_probe = connection.last_received == SteadyTime{} && now.steady < connection.deadline;
    report(is_probe ? Incident::Level::Debug : Incident::Level::Info, "client.refused",
           connection.listener->address + ": " + why);
  }
  connection.acks.clear();
  effects.push_back(Close{connection.id, std::move(why)});
}

/// Not from within whatever has to answer: by the timer that is due at once.
void Broker::State::close_soon(Connection& connection) {
  connection.is_unanswerable = true;
  arm_connection(connection, moment.steady);
}

void Broker::State::arm_connection(Connection& connection, SteadyTime due) {
  connection.deadline = due;
  timers.arm({due, Timer::Kind::Connection, connection.id.value, {}});
}

/// When it ends unless the client says something: v5 [MQTT-3.1.2-22], v3.1.1 [MQTT-3.1.2-24], one and a half
/// times the keep-alive without a packet; and when it ends whatever it says.
void Broker::State::arm_end(Connection& connection, SteadyTime last_life) {
  SteadyTime due = connection.expires_at;
  if (connection.keep_alive_s != 0)
    due = std::min(due, last_life + std::chrono::milliseconds(connection.keep_alive_s * 1500));
  connection.deadline = due;
  if (due != SteadyTime::max()) arm_connection(connection, due);
}

void Broker::State::on_connection_timer(ConnectionId id, Now now) {
  Connection* connection = find(id);
  if (!connection || connection->phase == Connection::Phase::Closing || now.steady < connection->deadline)
    return;
  if (connection->is_unanswerable) {
    return fail(*connection, ReasonCode::PacketTooLarge, "an answer is larger than its Maximum Packet Size",
                now);
  }
  if (connection->phase == Connection::Phase::AwaitConnect) {
    return close(*connection, "no CONNECT within connect_timeout", false, now);
  }
  if (connection->phase == Connection::Phase::Authenticating) {
    return fail(*connection, ReasonCode::ServerUnavailable, "not authenticated within connect_timeout", now);
  }
  if (connection->is_held) {
    return fail(*connection, ReasonCode::ServerUnavailable, "its will is not stored within connect_timeout",
                now);
  }
  if (connection->expires_at <= now.steady) {
    return fail(*connection, ReasonCode::MaximumConnectTime, "the token it was made by has expired", now);
  }
  arm_end(*connection, connection->last_received);
  if (connection->deadline > now.steady) return;
  fail(*connection, ReasonCode::KeepAliveTimeout, "nothing received for one and a half times the keep-alive",
       now);
}

void Broker::State::resume_input(Connection& connection) {
  if (!connection.is_input_paused) return;
  connection.is_input_paused = false;
  effects.push_back(Resume{connection.id});
}

}  // namespace wake::broker
