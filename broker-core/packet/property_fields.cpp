#include "broker-core/packet/property_fields.hpp"

namespace wake::broker::fields {

namespace {

void put_id(Writer& out, PropertyId id) { out.u8(static_cast<std::uint8_t>(id)); }

}  // namespace

ReasonCode get_user_property(Reader& in, std::vector<UserProperty>& out) {
  if (out.size() >= kMaxUserProperties) return ReasonCode::QuotaExceeded;
  UserProperty property;
  if (!in.string(property.first) || !in.string(property.second)) return ReasonCode::MalformedPacket;
  out.push_back(property);
  return ReasonCode::Success;
}

void put_user_properties(Writer& out, const std::vector<UserProperty>& properties) {
  for (const UserProperty& property : properties) {
    put_id(out, PropertyId::UserProperty);
    out.string(property.first);
    out.string(property.second);
  }
}

void put(Writer& out, PropertyId id, const std::optional<bool>& value) {
  if (!value) return;
  put_id(out, id);
  out.u8(*value ? 1 : 0);
}

void put(Writer& out, PropertyId id, const std::optional<std::uint8_t>& value) {
  if (!value) return;
  put_id(out, id);
  out.u8(*value);
}

void put(Writer& out, PropertyId id, const std::optional<std::uint16_t>& value) {
  if (!value) return;
  put_id(out, id);
  out.u16(*value);
}

void put(Writer& out, PropertyId id, const std::optional<std::uint32_t>& value) {
  if (!value) return;
  put_id(out, id);
  out.u32(*value);
}

void put(Writer& out, PropertyId id, const std::optional<std::string_view>& value) {
  if (!value) return;
  put_id(out, id);
  out.string(*value);
}

void put(Writer& out, PropertyId id, const std::optional<Bytes>& value) {
  if (!value) return;
  put_id(out, id);
  out.binary(*value);
}

}  // namespace wake::broker::fields
