// What a handler has in hand: who calls, with what, and the parts of the gateway it may ask. Handlers run on
// worker threads and may block; they answer a Response or throw a Problem (problem.hpp) or db::StorageAway.
// Who would wait for somebody outside (a provider) holds no worker meanwhile: its handler takes a Respond,
// and returns.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "broker-core/delivery/records.hpp"
#include "db/account_page.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/port.hpp"
#include "gateway/rest/exchange.hpp"
#include "gateway/rest/idempotency.hpp"
#include "gateway/rest/options.hpp"
#include "gateway/rest/request_budget.hpp"
#include "push/log.hpp"

namespace wake::db {
class Pool;
}

namespace wake::gateway::rest {

/// Lives as long as the server.
struct Context {
  Port& port;
  Authenticator& authenticator;
  db::Pool& pool;
  const RestOptions& options;
  push::LogSink log;
  KeysUnderWay keys_under_way{};
  RequestBudget of_principals{options.requests_per_second};
  RequestBudget of_addresses{options.requests_per_second_per_address};
  std::function<std::string()> own_metrics{};  // Prometheus text of the REST server itself
};

struct Call {
  Context& context;
  const Request& request;
  const Target& target;
  AuthResult who;
  std::vector<std::string> parameters;  // what stood for the {} of the route's pattern, in order
  bool may_wait_for_webhook = false;    // as in Credentials
  std::optional<Attempt> attempt{};     // with an Idempotency-Key

  const std::string& parameter(std::size_t index) const { return parameters[index]; }
  /// The calling user; the route has made sure that it is one.
  broker::UserId user() const;
  /// 422 on anything but `limit` (1..max_limit), `after` and `more`: a misspelt parameter must not widen a
  /// list.
  db::PageRequest page(int max_limit = 1000, std::initializer_list<std::string_view> more = {}) const;
  /// The same, with an `after` that has to be a number.
  db::PageRequest numbered_page(int max_limit = 1000,
                                std::initializer_list<std::string_view> more = {}) const;
  std::optional<std::string> query(const std::string& name) const;

  /// After the commit, before the answer: the shards judge by the new record. Throws Problem 503 when it
  /// cannot be loaded.
  void refresh(broker::UserId user) const;
  /// Of several. All are tried before it throws.
  void refresh(const std::vector<broker::UserId>& users) const;
  /// After the commit: every client of the principal is disconnected, and what its sessions held is let go.
  void end_logins(broker::Principal::Kind kind, const std::string& id) const;
  /// After the commit: every client that came in by a token of this log-in is disconnected.
  void revoke_login(broker::UserId user, std::int64_t login) const;
};

/// "user:12", "device:CAM1": one name for each principal.
std::string caller_name(const broker::Principal& principal);

/// Thrown by who authenticates: the call is to be made again where the back end may be waited for.
struct NeedsWebhook {};
/// Throws unless it is known whether the credentials are right: Problem 429, Problem 503, NeedsWebhook.
void need_judged(const AuthResult& who);

Response json_response(int status, const nlohmann::json& body);
Response no_content();

/// {"items":[…],"next":…}; next is null on the last page.
template <class Row, class ToJson>
Response page_response(const db::Page<Row>& page, ToJson to_json);

/// A positive 64-bit decimal number, as ids are in JSON and in paths. Empty: something else.
std::optional<std::int64_t> parse_id(std::string_view text);
/// The same of a path; anything else names nothing: 404.
std::int64_t path_id(const Call& call, std::size_t index, const char* what);

broker::UtcTime utc_now();
/// RFC 3339, UTC, milliseconds.
std::string time_text(broker::UtcTime time);

}  // namespace wake::gateway::rest
