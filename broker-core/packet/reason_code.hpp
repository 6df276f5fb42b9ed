// Reason codes of v5 §2.4, and what is left of them in 3.x. The one door through which a refusal becomes a
// byte on the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>

namespace wake::broker {

/// v5 §2.4. 0x80 and above are failures. 0x00 has three names in the specification; here they are one value.
enum class ReasonCode : std::uint8_t {
  Success = 0x00,
  NormalDisconnection = 0x00,
  GrantedQos0 = 0x00,
  GrantedQos1 = 0x01,
  GrantedQos2 = 0x02,
  DisconnectWithWill = 0x04,
  NoMatchingSubscribers = 0x10,
  NoSubscriptionExisted = 0x11,
  ContinueAuthentication = 0x18,
  Reauthenticate = 0x19,
  UnspecifiedError = 0x80,
  MalformedPacket = 0x81,
  ProtocolError = 0x82,
  ImplementationSpecificError = 0x83,
  UnsupportedProtocolVersion = 0x84,
  ClientIdentifierNotValid = 0x85,
  BadUserNameOrPassword = 0x86,
  NotAuthorized = 0x87,
  ServerUnavailable = 0x88,
  ServerBusy = 0x89,
  Banned = 0x8A,
  ServerShuttingDown = 0x8B,
  BadAuthenticationMethod = 0x8C,
  KeepAliveTimeout = 0x8D,
  SessionTakenOver = 0x8E,
  TopicFilterInvalid = 0x8F,
  TopicNameInvalid = 0x90,
  PacketIdentifierInUse = 0x91,
  PacketIdentifierNotFound = 0x92,
  ReceiveMaximumExceeded = 0x93,
  TopicAliasInvalid = 0x94,
  PacketTooLarge = 0x95,
  MessageRateTooHigh = 0x96,
  QuotaExceeded = 0x97,
  AdministrativeAction = 0x98,
  PayloadFormatInvalid = 0x99,
  RetainNotSupported = 0x9A,
  QosNotSupported = 0x9B,
  UseAnotherServer = 0x9C,
  ServerMoved = 0x9D,
  SharedSubscriptionsNotSupported = 0x9E,
  ConnectionRateExceeded = 0x9F,
  MaximumConnectTime = 0xA0,
  SubscriptionIdentifiersNotSupported = 0xA1,
  WildcardSubscriptionsNotSupported = 0xA2,
};

constexpr bool is_failure(ReasonCode reason) { return static_cast<std::uint8_t>(reason) >= 0x80; }

/// The CONNACK return code that says it best to a 3.x client: 0 accepted .. 5 not authorized (v3.1.1
/// §3.2.2.3).
std::uint8_t connack_return_code_v3(ReasonCode reason);

/// The reverse, for CONNACK packets we receive. nullopt: a code that 3.x does not have.
std::optional<ReasonCode> reason_from_connack_v3(std::uint8_t return_code);

/// The name in the words of v5 §2.4 ("Not authorized"); "Unknown reason code" for other values.
std::string_view to_string(ReasonCode reason);

inline std::ostream& operator<<(std::ostream& out, ReasonCode reason) { return out << to_string(reason); }

}  // namespace wake::broker
