// CONNECT: v5 §3.1, v3.1.1 §3.1, v3.1 §3.1. One struct for the three versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "broker-core/packet/publish_properties.hpp"

namespace wake::broker {

/// v5 §3.1.2.5. The topic is UTF-8, not yet checked as a topic name: that is the machine's part.
struct Will {
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::string_view topic;
  Bytes payload;
  PublishProperties properties;
  std::uint32_t delay_s = 0;  // v5 §3.1.3.2.2; 0 in 3.x
};

/// Views into the read buffer: valid until it moves.
struct Connect {
  Version version = Version::V311;
  bool clean_start = true;         // "clean session" in 3.x
  bool is_bridge = false;          // 3.x: bit 7 of the level, by which brokers know each other (not in v5)
  std::uint16_t keep_alive_s = 0;  // 0: none
  std::string_view client_id;      // may be empty: see client_id_verdict
  std::optional<Will> will;
  std::optional<std::string_view> username;
  std::optional<Bytes> password;  // never logged
  Properties properties;          // v5
};

/// The packet says its own version.
///   returns  UnsupportedProtocolVersion for a known protocol name with a level we do not speak (to be
///            answered by CONNACK 0x01 or 0x84); MalformedPacket or ProtocolError for the rest
///   3.x      a password without a user name is refused. v3.1 does not mind the reserved flag and will bits
///            without a will, and lets announced credentials be missing, as its §3.1 demands
Parsed<Connect> parse_connect(const Frame& frame);

/// The version that a CONNECT names, whatever is wrong behind it. nullopt: none that we speak.
std::optional<Version> claimed_version(const Frame& frame);

/// Success, or ClientIdentifierNotValid: an empty client id is for v5, and for v3.1.1 with a clean session
/// only (v3.1.1 [MQTT-3.1.3-8]; v3.1 §3.1 asks for 1 to 23; longer ones are accepted, as Mosquitto does).
ReasonCode client_id_verdict(const Connect& connect);

/// Writes as `version` says; connect.version is what was parsed and is not looked at.
void write(const Connect& connect, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
