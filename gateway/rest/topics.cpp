#include <algorithm>

#include <nlohmann/json.hpp>

#include "db/account_topics.hpp"
#include "db/push_policy_json.hpp"
#include "gateway/quiet_hours.hpp"
#include "gateway/rest/etag.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"
#include "gateway/rest/topic_filter.hpp"

namespace wake::gateway::rest {
namespace {

nlohmann::json to_json(const broker::EntryRecord& entry) {
  return {{"id", std::to_string(entry.id.value)},
          {"filter", entry.filter},
          {"device_id", entry.device_id.empty() ? nlohmann::json() : nlohmann::json(entry.device_id)},
          {"title", entry.title},
          {"subscribed", entry.subscribed},
          {"push", nlohmann::json::parse(db::to_json_text(entry.push))}};
}

/// The first paired device that is a level of the filter; empty: none.
std::string device_of(const std::vector<std::string>& device_ids, const std::string& filter) {
  const auto found = std::find_if(device_ids.begin(), device_ids.end(),
                                  [&](const std::string& id) { return has_level(filter, id); });
  return found == device_ids.end() ? std::string() : *found;
}

void set_filter(const Call& call, std::string filter, broker::EntryRecord& entry) {
  check_filter(filter, "filter", call.context.options.max_topic_levels);
  if (!call.who.grants.may_subscribe(filter)) {
    throw forbidden("You may not read " + filter + ".",
                    "Pair the device whose id is a level of the topic first.");
  }
  entry.device_id = device_of(call.who.grants.device_ids, filter);
  entry.filter = std::move(filter);
}

void set_device(const Call& call, const std::string& device_id, broker::EntryRecord& entry) {
  const auto& paired = call.who.grants.device_ids;
  if (std::find(paired.begin(), paired.end(), device_id) == paired.end() ||
      !has_level(entry.filter, device_id)) {
    throw invalid_field("device_id", "a device paired with you whose id is a level of the filter");
  }
  entry.device_id = device_id;
}

void read_push(JsonBody& body, broker::EntryRecord& entry) {
  const auto text = body.maybe_raw("push");
  if (!text) return;
  auto read = db::from_json_text(*text, entry.push);
  if (const auto* error = std::get_if<db::PolicyError>(&read))
    throw invalid_field(error->field, error->expected);
  entry.push = std::get<broker::PushPolicy>(std::move(read));
  if (entry.push.quiet_hours && !is_time_zone(entry.push.quiet_hours->time_zone)) {
    throw invalid_field("push.quiet_hours.tz", "an IANA time zone, as \"Europe/Berlin\"");
  }
}

/// Fields that are absent keep what `entry` has.
void read_entry(const Call& call, bool is_new, broker::EntryRecord& entry) {
  JsonBody body(call.request);
  const TextRule filter_rule{1, kMaxFilterBytes};
  auto filter = is_new ? body.text("filter", filter_rule) : body.maybe_text("filter", filter_rule);
  const auto device_id = body.maybe_text("device_id", {1, 64});
  entry.title = body.maybe_text("title", {0, 200}).value_or(entry.title);
  entry.subscribed = body.maybe_flag("subscribed").value_or(entry.subscribed);
  read_push(body, entry);
  body.done();
  if (filter) set_filter(call, std::move(*filter), entry);
  if (device_id) set_device(call, *device_id, entry);
}

Problem filter_taken(const std::string& filter) {
  return conflict("You have an entry for " + filter + " already, or its device was just unpaired.",
                  "Change the entry that is there (GET /v1/me/topics).", "filter");
}

std::optional<bool> read_subscribed(const Call& call) {
  const auto text = call.query("subscribed");
  if (!text) return std::nullopt;
  if (text != "true" && text != "false") throw invalid_field("subscribed", "true or false");
  return text == "true";
}

void announce(const Call& call) {
  call.refresh(call.user());
  call.tell_phones(call.user(), {{"type", "topics_changed"}});
}

/// As stored: with what the database knows beside it.
broker::EntryRecord find_own_entry(const Call& call, broker::EntryId id) {
  auto entry = db::find_entry(call.context.pool, call.user(), id);
  if (!entry) throw not_found("topic " + std::to_string(id.value));
  return std::move(*entry);
}

}  // namespace

Response list_topics(const Call& call) {
  const db::EntryFilter filter{call.query("device"), read_subscribed(call)};
  const auto page = call.numbered_page(1000, {"device", "subscribed"});
  return page_response(db::list_entries(call.context.pool, call.user(), filter, page),
                       [](const broker::EntryRecord& entry) { return to_json(entry); });
}

Response add_topic(const Call& call) {
  broker::EntryRecord entry;
  read_entry(call, true, entry);
  const auto id = db::add_entry(call.context.pool, call.user(), entry);
  if (!id) throw filter_taken(entry.filter);
  announce(call);
  return json_response(201, to_json(find_own_entry(call, *id)));
}

Response get_topic(const Call& call) {
  return json_response(200, to_json(find_own_entry(call, broker::EntryId{path_id(call, 0, "topic")})));
}

Response patch_topic(const Call& call) {
  const broker::EntryId id{path_id(call, 0, "topic")};
  std::string filter;
  const auto change = [&](broker::EntryRecord& entry) {
    require_match(call.request, to_json(entry));
    read_entry(call, false, entry);
    filter = entry.filter;
  };
  switch (db::change_entry(call.context.pool, call.user(), id, change)) {
    case db::EntryUpdate::NoSuchEntry:
      throw not_found("topic " + call.parameter(0));
    case db::EntryUpdate::FilterTaken:
      throw filter_taken(filter);
    case db::EntryUpdate::Done:
      break;
  }
  announce(call);
  return json_response(200, to_json(find_own_entry(call, id)));
}

Response delete_topic(const Call& call) {
  const broker::EntryId id{path_id(call, 0, "topic")};
  const auto check = [&](const broker::EntryRecord& entry) { require_match(call.request, to_json(entry)); };
  if (!db::remove_entry(call.context.pool, call.user(), id, check)) {
    throw not_found("topic " + call.parameter(0));
  }
  announce(call);
  return no_content();
}

}  // namespace wake::gateway::rest
