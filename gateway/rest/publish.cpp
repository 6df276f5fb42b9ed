#include <nlohmann/json.hpp>

#include "broker-core/packet/publish_properties.hpp"
#include "broker-core/topic/topic_name.hpp"
#include "db/idempotency_store.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxText = 1024;
constexpr std::int64_t kMaxTtlS = 28 * 24 * 3600;

void append_wish(std::string& out, std::string_view name, const std::optional<std::string>& value) {
  if (value) broker::append_user_property(out, name, *value);
}

std::string read_payload(JsonBody& body, std::size_t max_bytes) {
  const auto text =
      body.maybe_text("payload", {.min_bytes = 0, .max_bytes = kAnyLength, .may_hold_nul = true});
  const auto base64 = body.maybe_text("payload_base64", {0, kAnyLength});
  if (text.has_value() == base64.has_value()) {
    throw invalid_field("payload", "either payload or payload_base64, and not both");
  }
  const auto payload = text ? text : decode_base64(*base64);
  if (!payload) throw invalid_field("payload_base64", "base64 with padding (RFC 4648 section 4)");
  if (payload->size() > max_bytes)
    throw too_large("The payload is over " + std::to_string(max_bytes) + " bytes.");
  return *payload;
}

/// What an MQTT 5.0 publisher says by user properties (contract §6), a back end says by fields.
std::string read_properties(JsonBody& body) {
  std::string properties;
  append_wish(properties, "wake-title", body.maybe_text("title", {0, kMaxText}));
  append_wish(properties, "wake-body", body.maybe_text("body", {0, kMaxText}));
  append_wish(properties, "wake-priority", body.maybe_word("priority", {"high", "normal"}));
  append_wish(properties, "wake-collapse", body.maybe_text("collapse", {1, 64}));
  if (const auto ttl_s = body.maybe_number("ttl", 0, kMaxTtlS)) {
    append_wish(properties, "wake-ttl", std::to_string(*ttl_s));
  }
  return properties;
}

broker::MessageRecord read_message(const Call& call) {
  JsonBody body(call.request);
  broker::MessageRecord message;
  message.topic = body.text("topic", {1, broker::kMaxTopicBytes});
  message.payload = read_payload(body, call.context.options.max_payload_bytes);
  message.qos = static_cast<broker::Qos>(body.maybe_number("qos", 0, 2).value_or(1));
  message.retain = body.maybe_flag("retain").value_or(false);
  message.properties = read_properties(body);
  body.done();
  const std::uint32_t max_levels = call.context.options.max_topic_levels;
  if (!broker::is_valid_topic_name(message.topic, max_levels)) {
    throw invalid_field(
        "topic", "an MQTT topic name: no wildcards, at most " + std::to_string(max_levels) + " levels");
  }
  return message;
}

Response published(broker::MessageId id) {
  return json_response(200, {{"message_id", std::to_string(id.value)}});
}

}  // namespace

Response publish(const Call& call) {
  broker::MessageRecord message = read_message(call);
  if (!call.who.grants.may_publish(message.topic)) {
    throw forbidden("These credentials may not publish to " + message.topic + ".",
                    "Give the API key a filter that covers the topic.");
  }
  if (call.attempt) message.id = call.attempt->message_id;
  const bool may_be_done = call.attempt && !call.attempt->is_first;
  if (may_be_done && db::is_published(call.context.pool, message.id)) return published(message.id);
  switch (call.context.port.publish(message)) {
    case PublishOutcome::QuotaExceeded:
      throw too_many_requests("A receiver's queue is full; the message was not taken.", 5);
    case PublishOutcome::StorageAway:
      throw storage_away();
    case PublishOutcome::Settled:
      break;
  }
  return published(message.id);
}

}  // namespace wake::gateway::rest
