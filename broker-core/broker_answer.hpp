// How the broker's packets other than PUBLISH get to a client: the templates that broker_state.hpp declares
// and includes. None sends what is larger than the client takes.
#pragma once

#include "broker-core/broker_state.hpp"

namespace wake::broker {

template <class P>
void Broker::State::send(Connection& connection, const P& packet) {
  std::vector<std::byte>& bytes = connection.output.own_bytes();
  const std::size_t before = bytes.size();
  write(packet, connection.version, bytes);
  if (bytes.size() - before > connection.max_packet_bytes) {
    bytes.resize(before);
    return close_soon(connection);
  }
  ++counters.packets_sent;
  connection.output.own_bytes_written();
  touch(connection);
}

template <class P>
void Broker::State::send_when_stored(Connection& connection, const P& packet) {
  std::vector<std::byte> bytes;
  write(packet, connection.version, bytes);
  if (bytes.size() > connection.max_packet_bytes) return close_soon(connection);
  ledger.waiting().replies.emplace_back(connection.id, std::move(bytes));
}

template <class P>
bool Broker::State::takes(const Connection& connection, const P& packet) {
  std::vector<std::byte> bytes;
  write(packet, connection.version, bytes);
  return bytes.size() <= connection.max_packet_bytes;
}

template <class P>
void Broker::State::send_reason(Connection& connection, P packet, std::string_view why) {
  const auto explain = [&](std::string_view text) {
    if constexpr (requires { packet.properties; }) {
      packet.properties.reason_string = text.empty() ? std::nullopt : std::optional(text);
    } else {
      packet.reason_string = text;
    }
  };
  explain(why);
  if (!takes(connection, packet)) explain({});
  send(connection, packet);
}

}  // namespace wake::broker
