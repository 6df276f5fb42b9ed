#include "broker-core/packet/reasons.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace wake::broker {

namespace {

using R = ReasonCode;

constexpr std::array kConnack = {R::Success,
                                 R::UnspecifiedError,
                                 R::MalformedPacket,
                                 R::ProtocolError,
                                 R::ImplementationSpecificError,
                                 R::UnsupportedProtocolVersion,
                                 R::ClientIdentifierNotValid,
                                 R::BadUserNameOrPassword,
                                 R::NotAuthorized,
                                 R::ServerUnavailable,
                                 R::ServerBusy,
                                 R::Banned,
                                 R::BadAuthenticationMethod,
                                 R::TopicNameInvalid,
                                 R::PacketTooLarge,
                                 R::QuotaExceeded,
                                 R::PayloadFormatInvalid,
                                 R::RetainNotSupported,
                                 R::QosNotSupported,
                                 R::UseAnotherServer,
                                 R::ServerMoved,
                                 R::ConnectionRateExceeded};
constexpr std::array kPubackPubrec = {R::Success,
                                      R::NoMatchingSubscribers,
                                      R::UnspecifiedError,
                                      R::ImplementationSpecificError,
                                      R::NotAuthorized,
                                      R::TopicNameInvalid,
                                      R::PacketIdentifierInUse,
                                      R::QuotaExceeded,
                                      R::PayloadFormatInvalid};
constexpr std::array kPubrelPubcomp = {R::Success, R::PacketIdentifierNotFound};
constexpr std::array kSuback = {R::GrantedQos0,
                                R::GrantedQos1,
                                R::GrantedQos2,
                                R::UnspecifiedError,
                                R::ImplementationSpecificError,
                                R::NotAuthorized,
                                R::TopicFilterInvalid,
                                R::PacketIdentifierInUse,
                                R::QuotaExceeded,
                                R::SharedSubscriptionsNotSupported,
                                R::SubscriptionIdentifiersNotSupported,
                                R::WildcardSubscriptionsNotSupported};
constexpr std::array kUnsuback = {
    R::Success,       R::NoSubscriptionExisted, R::UnspecifiedError,     R::ImplementationSpecificError,
    R::NotAuthorized, R::TopicFilterInvalid,    R::PacketIdentifierInUse};
constexpr std::array kDisconnect = {R::NormalDisconnection,
                                    R::DisconnectWithWill,
                                    R::UnspecifiedError,
                                    R::MalformedPacket,
                                    R::ProtocolError,
                                    R::ImplementationSpecificError,
                                    R::NotAuthorized,
                                    R::ServerBusy,
                                    R::ServerShuttingDown,
                                    R::BadAuthenticationMethod,
                                    R::KeepAliveTimeout,
                                    R::SessionTakenOver,
                                    R::TopicFilterInvalid,
                                    R::TopicNameInvalid,
                                    R::ReceiveMaximumExceeded,
                                    R::TopicAliasInvalid,
                                    R::PacketTooLarge,
                                    R::MessageRateTooHigh,
                                    R::QuotaExceeded,
                                    R::AdministrativeAction,
                                    R::PayloadFormatInvalid,
                                    R::RetainNotSupported,
                                    R::QosNotSupported,
                                    R::UseAnotherServer,
                                    R::ServerMoved,
                                    R::SharedSubscriptionsNotSupported,
                                    R::ConnectionRateExceeded,
                                    R::MaximumConnectTime,
                                    R::SubscriptionIdentifiersNotSupported,
                                    R::WildcardSubscriptionsNotSupported};
constexpr std::array kAuth = {R::Success, R::ContinueAuthentication, R::Reauthenticate};

std::span<const ReasonCode> allowed_reasons(PacketType packet) {
  switch (packet) {
    case PacketType::Connack:
      return kConnack;
    case PacketType::Puback:
    case PacketType::Pubrec:
      return kPubackPubrec;
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      return kPubrelPubcomp;
    case PacketType::Suback:
      return kSuback;
    case PacketType::Unsuback:
      return kUnsuback;
    case PacketType::Disconnect:
      return kDisconnect;
    case PacketType::Auth:
      return kAuth;
    default:
      return {};
  }
}

}  // namespace

bool is_reason_allowed(ReasonCode reason, PacketType packet) {
  return std::ranges::find(allowed_reasons(packet), reason) != allowed_reasons(packet).end();
}

ReasonCode read_reason(Reader& in, PacketType packet, ReasonCode& out) {
  std::uint8_t value = 0;
  if (!in.u8(value) || !is_reason_allowed(static_cast<ReasonCode>(value), packet)) return R::MalformedPacket;
  out = static_cast<ReasonCode>(value);
  return R::Success;
}

ReasonCode read_optional_reason(Reader& in, PacketType packet, ReasonCode& reason, Properties& properties) {
  if (in.is_empty()) return R::Success;
  const ReasonCode outcome = read_reason(in, packet, reason);
  if (outcome != R::Success || in.is_empty()) return outcome;
  const ReasonCode rest = parse(in, packet, properties);
  return rest == R::Success && !in.is_empty() ? R::MalformedPacket : rest;
}

void write_optional_reason(ReasonCode reason, const Properties& properties, std::vector<std::byte>& bytes) {
  const std::size_t start = bytes.size();
  Writer(bytes).u8(static_cast<std::uint8_t>(reason));
  write(properties, bytes);
  const bool has_properties = bytes.size() > start + 2;
  if (has_properties) return;
  bytes.resize(reason == R::Success ? start : start + 1);
}

Properties reason_properties(std::string_view reason_string,
                             const std::vector<UserProperty>& user_properties) {
  Properties properties;
  if (!reason_string.empty()) properties.reason_string = reason_string;
  properties.user_properties = user_properties;
  return properties;
}

}  // namespace wake::broker
