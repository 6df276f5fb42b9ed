#include "broker-core/packet/reason_code.hpp"

#include <array>

namespace wake::broker {

namespace {

struct Name {
  ReasonCode reason;
  std::string_view text;
};

/// v5 table 2-6, the column "Reason Code Name".
constexpr std::array kNames = {
    Name{ReasonCode::Success, "Success"},
    Name{ReasonCode::GrantedQos1, "Granted QoS 1"},
    Name{ReasonCode::GrantedQos2, "Granted QoS 2"},
    Name{ReasonCode::DisconnectWithWill, "Disconnect with Will Message"},
    Name{ReasonCode::NoMatchingSubscribers, "No matching subscribers"},
    Name{ReasonCode::NoSubscriptionExisted, "No subscription existed"},
    Name{ReasonCode::ContinueAuthentication, "Continue authentication"},
    Name{ReasonCode::Reauthenticate, "Re-authenticate"},
    Name{ReasonCode::UnspecifiedError, "Unspecified error"},
    Name{ReasonCode::MalformedPacket, "Malformed Packet"},
    Name{ReasonCode::ProtocolError, "Protocol Error"},
    Name{ReasonCode::ImplementationSpecificError, "Implementation specific error"},
    Name{ReasonCode::UnsupportedProtocolVersion, "Unsupported Protocol Version"},
    Name{ReasonCode::ClientIdentifierNotValid, "Client Identifier not valid"},
    Name{ReasonCode::BadUserNameOrPassword, "Bad User Name or Password"},
    Name{ReasonCode::NotAuthorized, "Not authorized"},
    Name{ReasonCode::ServerUnavailable, "Server unavailable"},
    Name{ReasonCode::ServerBusy, "Server busy"},
    Name{ReasonCode::Banned, "Banned"},
    Name{ReasonCode::ServerShuttingDown, "Server shutting down"},
    Name{ReasonCode::BadAuthenticationMethod, "Bad authentication method"},
    Name{ReasonCode::KeepAliveTimeout, "Keep Alive timeout"},
    Name{ReasonCode::SessionTakenOver, "Session taken over"},
    Name{ReasonCode::TopicFilterInvalid, "Topic Filter invalid"},
    Name{ReasonCode::TopicNameInvalid, "Topic Name invalid"},
    Name{ReasonCode::PacketIdentifierInUse, "Packet Identifier in use"},
    Name{ReasonCode::PacketIdentifierNotFound, "Packet Identifier not found"},
    Name{ReasonCode::ReceiveMaximumExceeded, "Receive Maximum exceeded"},
    Name{ReasonCode::TopicAliasInvalid, "Topic Alias invalid"},
    Name{ReasonCode::PacketTooLarge, "Packet too large"},
    Name{ReasonCode::MessageRateTooHigh, "Message rate too high"},
    Name{ReasonCode::QuotaExceeded, "Quota exceeded"},
    Name{ReasonCode::AdministrativeAction, "Administrative action"},
    Name{ReasonCode::PayloadFormatInvalid, "Payload format invalid"},
    Name{ReasonCode::RetainNotSupported, "Retain not supported"},
    Name{ReasonCode::QosNotSupported, "QoS not supported"},
    Name{ReasonCode::UseAnotherServer, "Use another server"},
    Name{ReasonCode::ServerMoved, "Server moved"},
    Name{ReasonCode::SharedSubscriptionsNotSupported, "Shared Subscriptions not supported"},
    Name{ReasonCode::ConnectionRateExceeded, "Connection rate exceeded"},
    Name{ReasonCode::MaximumConnectTime, "Maximum connect time"},
    Name{ReasonCode::SubscriptionIdentifiersNotSupported, "Subscription Identifiers not supported"},
    Name{ReasonCode::WildcardSubscriptionsNotSupported, "Wildcard Subscriptions not supported"},
};

}  // namespace

std::uint8_t connack_return_code_v3(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::UnsupportedProtocolVersion:
      return 1;
    case ReasonCode::ClientIdentifierNotValid:
      return 2;
    case ReasonCode::BadUserNameOrPassword:
    case ReasonCode::BadAuthenticationMethod:
      return 4;
    case ReasonCode::NotAuthorized:
    case ReasonCode::Banned:
      return 5;
    default:
      return is_failure(reason) ? 3 : 0;  // 3: server unavailable, for all that 3.x has no word for
  }
}

std::optional<ReasonCode> reason_from_connack_v3(std::uint8_t return_code) {
  switch (return_code) {
    case 0:
      return ReasonCode::Success;
    case 1:
      return ReasonCode::UnsupportedProtocolVersion;
    case 2:
      return ReasonCode::ClientIdentifierNotValid;
    case 3:
      return ReasonCode::ServerUnavailable;
    case 4:
      return ReasonCode::BadUserNameOrPassword;
    case 5:
      return ReasonCode::NotAuthorized;
    default:
      return std::nullopt;
  }
}

std::string_view to_string(ReasonCode reason) {
  for (const Name& name : kNames) {
    if (name.reason == reason) return name.text;
  }
  return "Unknown reason code";
}

}  // namespace wake::broker
