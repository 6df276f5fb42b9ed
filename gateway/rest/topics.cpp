#include <algorithm>

#include <nlohmann/json.hpp>

#include "db/account_topics.hpp"
#include "db/account_users.hpp"
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

constexpr int kMaxEntries = 10'000;  // of one user

/// What a writer changes: GET of one entry, so that its ETag tells of other writers and not of messages.
nlohmann::json to_json(const broker::EntryRecord& entry) {
  return {{"id", std::to_string(entry.id.value)},
          {"filter", entry.filter},
          {"device_id", entry.device_id.empty() ? nlohmann::json() : nlohmann::json(entry.device_id)},
          {"title", entry.title},
          {"subscribed", entry.subscribed},
          {"push", nlohmann::json::parse(db::to_json_text(entry.push))}};
}

nlohmann::json to_json(const db::ListedEntry& listed) {
  nlohmann::json body = to_json(listed.record);
  body["unread"] = listed.unread;
  body["last_message"] = nullptr;
  if (const auto& message = listed.last_message)
    body["last_message"] = {{"id", std::to_string(message->id.value)}, {"at", time_text(message->at)}};
  return body;
}

/// The first paired device that is a level of the filter; empty: none.
std::string device_of(const std::vector<std::string>& device_ids, const std::string& filter) {
  const auto found = std::find_if(device_ids.begin(), device_ids.end(),
                                  [&](const std::string& id) { return has_level(filter, id); });
  return found == device_ids.end() ? std::string() : *found;
}

/// Whose topics, and what lets this user read.
struct Owner {
  broker::UserId user;
  broker::Grants grants;
  bool is_vouched_for = false;  // by a back end, which may give what the user's own permission does not cover
};

Owner self(const Call& call) { return {call.user(), call.who.grants, false}; }

/// The user of the path, for an admin.
Owner named(const Call& call) {
  const auto user = db::find_user(call.context.pool, call.parameter(0));
  if (!user) throw not_found("user " + call.parameter(0));
  const broker::Principal principal{broker::Principal::Kind::User, std::to_string(user->id.value),
                                    user->username};
  const AuthResult now_may = call.context.authenticator.grants_for(principal, "");
  if (now_may.outcome == AuthResult::Outcome::StorageAway) throw storage_away();
  return {user->id, now_may.grants, true};
}

void set_filter(const Call& call, const Owner& owner, std::string filter, broker::EntryRecord& entry) {
  check_filter(filter, "filter", call.context.options.max_topic_levels);
  const bool is_allowed = owner.grants.may_subscribe(filter);
  if (!is_allowed && !owner.is_vouched_for) {
    throw forbidden("You may not read " + filter + ".",
                    "Pair the device whose id is a level of the topic first.");
  }
  entry.is_granted = !is_allowed;
  entry.device_id = device_of(owner.grants.device_ids, filter);
  entry.filter = std::move(filter);
}

void set_device(const Owner& owner, const std::string& device_id, broker::EntryRecord& entry) {
  const auto& paired = owner.grants.device_ids;
  if (std::find(paired.begin(), paired.end(), device_id) == paired.end() ||
      !has_level(entry.filter, device_id)) {
    throw invalid_field("device_id", "a device paired with the user whose id is a level of the filter");
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
void read_entry(const Call& call, const Owner& owner, bool is_new, broker::EntryRecord& entry) {
  JsonBody body(call.request);
  const TextRule filter_rule{1, kMaxFilterBytes};
  auto filter = is_new ? body.text("filter", filter_rule) : body.maybe_text("filter", filter_rule);
  const auto device_id = body.maybe_text("device_id", {1, 64});
  entry.title = body.maybe_text("title", {0, 200}).value_or(entry.title);
  entry.subscribed = body.maybe_flag("subscribed").value_or(entry.subscribed);
  read_push(body, entry);
  body.done();
  if (filter) set_filter(call, owner, std::move(*filter), entry);
  if (device_id) set_device(owner, *device_id, entry);
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

/// As stored: with what the database knows beside it.
db::ListedEntry find_own_entry(const Call& call, const Owner& owner, broker::EntryId id) {
  auto entry = db::find_entry(call.context.pool, owner.user, id, utc_now());
  if (!entry) throw not_found("topic " + std::to_string(id.value));
  return std::move(*entry);
}

Response list_of(const Call& call, const Owner& owner) {
  const db::EntryFilter filter{call.query("device"), read_subscribed(call)};
  const auto page = call.numbered_page(1000, {"device", "subscribed"});
  return page_response(db::list_entries(call.context.pool, owner.user, filter, page, utc_now()),
                       [](const db::ListedEntry& entry) { return to_json(entry); });
}

Response add_to(const Call& call, const Owner& owner) {
  broker::EntryRecord entry;
  read_entry(call, owner, true, entry);
  if (db::count_entries(call.context.pool, owner.user) >= kMaxEntries) {
    throw conflict("There are " + std::to_string(kMaxEntries) + " topics already.",
                   "Remove some, or use one filter with wildcards.");
  }
  const auto answer = [&](broker::EntryId id) {  // of no messages yet
    db::ListedEntry made{entry, std::nullopt, 0};
    made.record.id = id;
    return json_response(201, to_json(made));
  };
  const auto id =
      db::add_entry(call.context.pool, owner.user, entry, keep<broker::EntryId>(call.attempt, answer));
  if (!id) throw filter_taken(entry.filter);
  call.refresh(owner.user);
  return answer(*id);
}

Response patch_of(const Call& call, const Owner& owner, const std::string& id_text, broker::EntryId id) {
  std::string filter;
  const auto change = [&](broker::EntryRecord& entry) {
    require_match(call.request, to_json(entry));
    read_entry(call, owner, false, entry);
    filter = entry.filter;
  };
  switch (db::change_entry(call.context.pool, owner.user, id, change)) {
    case db::EntryUpdate::NoSuchEntry:
      throw not_found("topic " + id_text);
    case db::EntryUpdate::FilterTaken:
      throw filter_taken(filter);
    case db::EntryUpdate::Done:
      break;
  }
  call.refresh(owner.user);
  return json_response(200, to_json(find_own_entry(call, owner, id)));
}

Response delete_of(const Call& call, const Owner& owner, const std::string& id_text, broker::EntryId id) {
  const auto check = [&](const broker::EntryRecord& entry) { require_match(call.request, to_json(entry)); };
  if (!db::remove_entry(call.context.pool, owner.user, id, check)) throw not_found("topic " + id_text);
  call.refresh(owner.user);
  return no_content();
}

broker::EntryId id_at(const Call& call, std::size_t index) {
  return broker::EntryId{path_id(call, index, "topic")};
}

}  // namespace

Response list_topics(const Call& call) { return list_of(call, self(call)); }
Response add_topic(const Call& call) { return add_to(call, self(call)); }
Response get_topic(const Call& call) {
  return json_response(200, to_json(find_own_entry(call, self(call), id_at(call, 0)).record));
}
Response patch_topic(const Call& call) {
  return patch_of(call, self(call), call.parameter(0), id_at(call, 0));
}
Response delete_topic(const Call& call) {
  return delete_of(call, self(call), call.parameter(0), id_at(call, 0));
}

Response list_topics_of_user(const Call& call) { return list_of(call, named(call)); }
Response add_topic_of_user(const Call& call) { return add_to(call, named(call)); }
Response patch_topic_of_user(const Call& call) {
  return patch_of(call, named(call), call.parameter(1), id_at(call, 1));
}
Response delete_topic_of_user(const Call& call) {
  return delete_of(call, named(call), call.parameter(1), id_at(call, 1));
}

}  // namespace wake::gateway::rest
