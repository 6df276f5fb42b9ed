#include "gateway/rest/call.hpp"

#include <algorithm>
#include <charconv>
#include <exception>

#include <nlohmann/json.hpp>

#include "db/principal_kind.hpp"
#include "gateway/rest/problem.hpp"
#include "push/text.hpp"

namespace wake::gateway::rest {
namespace {

constexpr int kDefaultLimit = 100;

int parse_limit(const std::string& text, int max_limit) {
  const auto limit = parse_id(text);
  if (!limit || *limit > max_limit)
    throw invalid_field("limit", "a whole number, 1 to " + std::to_string(max_limit));
  return static_cast<int>(*limit);
}

/// The change is committed; the shards are told. Throws Problem 503 when they cannot be.
void make_known(const Call& call, const std::function<void(Port&)>& change) {
  try {
    change(call.context.port);
  } catch (const std::runtime_error& error) {
    call.context.log(push::LogLevel::Warn, "rest.refresh_failed", error.what());
    throw storage_away();
  }
}

}  // namespace

broker::UserId Call::user() const { return broker::UserId{std::stoll(who.principal.id)}; }

std::optional<std::string> Call::query(const std::string& name) const {
  const auto found = target.query.find(name);
  if (found == target.query.end()) return std::nullopt;
  return found->second;
}

db::PageRequest Call::page(int max_limit, std::initializer_list<std::string_view> more) const {
  for (const auto& [name, value] : target.query) {
    const bool is_known =
        name == "limit" || name == "after" || std::find(more.begin(), more.end(), name) != more.end();
    if (!is_known) throw unknown_field(name, "limit, after");
  }
  db::PageRequest page;
  page.limit = std::min(kDefaultLimit, max_limit);
  if (const auto limit = query("limit")) page.limit = parse_limit(*limit, max_limit);
  page.after = query("after").value_or("");
  return page;
}

db::PageRequest Call::numbered_page(int max_limit, std::initializer_list<std::string_view> more) const {
  db::PageRequest request = page(max_limit, more);
  if (!request.after.empty() && request.after != "0" && !parse_id(request.after)) {
    throw invalid_field("after", "an id, as `next` of the page before");
  }
  return request;
}

void Call::refresh(broker::UserId user) const {
  make_known(*this, [&](Port& port) { port.refresh_user(user); });
}

void Call::refresh(const std::vector<broker::UserId>& users) const {
  make_known(*this, [&](Port& port) {
    std::exception_ptr failed;
    for (const broker::UserId user : users) {
      try {
        port.refresh_user(user);
      } catch (const std::runtime_error&) {
        failed = std::current_exception();
      }
    }
    if (failed) std::rethrow_exception(failed);
  });
}

void Call::end_logins(broker::Principal::Kind kind, const std::string& id) const {
  make_known(*this, [&](Port& port) { port.end_logins({kind, id, id}); });
}

void Call::revoke_login(broker::UserId user, std::int64_t login) const {
  make_known(*this, [&](Port& port) { port.revoke_login(user, login); });
}

void need_judged(const AuthResult& who) {
  switch (who.outcome) {
    case AuthResult::Outcome::Ok:
    case AuthResult::Outcome::Refused:
      return;
    case AuthResult::Outcome::Throttled:
      throw too_many_requests("Too many failed log-ins.", 60);
    case AuthResult::Outcome::StorageAway:
      throw storage_away();
    case AuthResult::Outcome::WebhookAway:
      throw webhook_away();
    case AuthResult::Outcome::NeedsWebhook:
      throw NeedsWebhook{};
  }
}

std::string caller_name(const broker::Principal& principal) {
  return std::string(db::text_of(principal.kind)) + ":" + principal.id;
}

Response json_response(int status, const nlohmann::json& body) {
  return {.status = status,
          .content_type = "application/json",
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          .headers = {}};
}

Response no_content() { return {.status = 204, .content_type = "", .body = "", .headers = {}}; }

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

std::int64_t path_id(const Call& call, std::size_t index, const char* what) {
  const auto id = parse_id(call.parameter(index));
  if (!id) throw not_found(what);
  return *id;
}

broker::UtcTime utc_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string time_text(broker::UtcTime time) {
  std::string text;
  push::append_time(text, time);
  return text;
}

}  // namespace wake::gateway::rest
