#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_inbox.hpp"
#include "db/account_topics.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"
#include "push/text.hpp"

namespace wake::gateway::rest {
namespace {

constexpr int kMaxMessages = 200;  // of one page; db/account_inbox.hpp bounds its bytes too
constexpr std::size_t kMaxIds = 1000;

nlohmann::json to_json(const broker::MessageRecord& message) {
  const bool is_text = push::is_valid_utf8(message.payload);
  std::string payload;
  if (is_text) {
    payload = message.payload;
  } else {
    push::append_base64(payload, message.payload);
  }
  return {{"id", std::to_string(message.id.value)},
          {"topic", message.topic},
          {"payload", std::move(payload)},
          {"enc", is_text ? "utf8" : "base64"},
          {"qos", static_cast<int>(message.qos)},
          {"retain", message.retain},
          {"at", time_text(message.at)},
          {"expires_at", time_text(message.expires_at)}};
}

/// What the user may read now: what waits by a pairing or a rule that is gone is not shown any more.
class Readable {
 public:
  explicit Readable(const Call& call) : call_(call) {}
  bool operator()(const broker::MessageRecord& message) {
    if (call_.who.grants.may_receive(message.topic)) return true;
    if (!granted_) granted_ = db::list_granted_filters(call_.context.pool, call_.user());
    return std::ranges::any_of(
        *granted_, [&](const std::string& filter) { return broker::matches(filter, message.topic); });
  }

 private:
  const Call& call_;
  std::optional<std::vector<std::string>> granted_;
};

std::int64_t id_field(const std::string& text, const std::string& field) {
  const auto id = parse_id(text);
  if (!id) throw invalid_field(field, "a message id, as a string");
  return *id;
}

std::vector<broker::MessageId> acknowledge(const Call& call, const std::optional<std::string>& up_to,
                                           const std::optional<std::vector<std::string>>& ids) {
  if (up_to) {
    return db::acknowledge_inbox_up_to(call.context.pool, call.user(),
                                       broker::MessageId{id_field(*up_to, "up_to")});
  }
  std::vector<broker::MessageId> wanted;
  for (const std::string& id : *ids) {
    wanted.push_back(broker::MessageId{id_field(id, "ids[" + std::to_string(wanted.size()) + "]")});
  }
  return db::acknowledge_inbox(call.context.pool, call.user(), wanted);
}

}  // namespace

Response list_messages(const Call& call) {
  const auto page = call.numbered_page(kMaxMessages, {"topic"});
  auto found = db::list_inbox(call.context.pool, call.user(), call.query("topic"), page, utc_now());
  Readable is_readable(call);
  std::erase_if(found.items, [&](const broker::MessageRecord& message) { return !is_readable(message); });
  return page_response(found, [](const broker::MessageRecord& message) { return to_json(message); });
}

Response get_message(const Call& call) {
  const broker::MessageId id{path_id(call, 0, "message")};
  const auto message = db::find_inbox_message(call.context.pool, call.user(), id, utc_now());
  if (!message || !Readable(call)(*message)) throw not_found("message " + call.parameter(0));
  return json_response(200, to_json(*message));
}

Response ack_messages(const Call& call) {
  JsonBody body(call.request);
  const auto up_to = body.maybe_text("up_to", {1, 20});
  const auto ids = body.maybe_texts("ids", kMaxIds, {1, 20});
  body.done();
  if (up_to.has_value() == ids.has_value()) throw invalid_field("up_to", "either up_to or ids, and not both");
  const std::vector<broker::MessageId> done = acknowledge(call, up_to, ids);
  if (!done.empty()) call.context.port.acknowledged(call.user(), done);
  return json_response(200, {{"acknowledged", done.size()}});
}

}  // namespace wake::gateway::rest
