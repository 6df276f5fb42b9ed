#include "broker-core/delivery/publisher_wishes.hpp"

#include <charconv>

#include "broker-core/packet/publish_properties.hpp"

namespace wake::broker {

namespace {

void apply(std::string_view name, std::string_view value, PushPolicy& policy) {
  if (name == "wake-title") {
    policy.title = value;
  } else if (name == "wake-body") {
    policy.body = value;
  } else if (name == "wake-collapse") {
    policy.collapse = value;
  } else if (name == "wake-priority") {
    if (value == "high" || value == "normal") policy.is_high_priority = value == "high";
  } else if (name == "wake-ttl") {
    std::int64_t ttl_s = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ttl_s);
    const bool is_number = error == std::errc{} && end == value.data() + value.size();
    if (is_number && ttl_s >= 0) policy.ttl_s = ttl_s;
  }
}

}  // namespace

std::shared_ptr<const EntryRecord> with_wishes(const std::shared_ptr<const EntryRecord>& entry,
                                               const MessageRecord& message) {
  if (message.properties.find("wake-") == std::string::npos) return entry;
  const auto properties = parse_forwardable(message.properties);
  if (!properties) return entry;
  auto wished = std::make_shared<EntryRecord>(*entry);
  for (const auto& [name, value] : properties->user_properties) apply(name, value, wished->push);
  return wished;
}

}  // namespace wake::broker
