#include "db/outbox_statements.hpp"

#include <algorithm>
#include <map>

#include "db/pq/params.hpp"
#include "db/sql/outbox.sql.hpp"

namespace wake::db {
namespace {

using pq::Column;
using pq::Oid;
using pq::Statement;
using push::NotificationKey;
using push::Resolution;
using Resolutions = std::span<const Resolution>;
using Outcomes = std::map<NotificationKey, const Resolution*>;

constexpr const Query* kQueries[] = {&sql::finish_notifications, &sql::postpone_notifications,
                                     &sql::prove_environments, &sql::remove_tokens};

std::string_view final_state(Resolution::Kind kind) {
  switch (kind) {
    case Resolution::Kind::Sent:
      return "sent";
    case Resolution::Kind::Failed:
      return "failed";
    case Resolution::Kind::Expired:
      return "expired";
    case Resolution::Kind::Cancelled:
      return "cancelled";
    case Resolution::Kind::RetryAt:
    case Resolution::Kind::Released:
      break;
  }
  return "";
}

bool is_final(const Resolution& resolution) { return !final_state(resolution.kind).empty(); }
std::string_view name(broker::Platform platform) {
  return platform == broker::Platform::Fcm ? "fcm" : "apns";
}
std::string_view name(broker::Environment environment) {
  return environment == broker::Environment::Sandbox ? "sandbox" : "production";
}

template <class... Columns>
std::vector<std::string> take(Columns&... columns) {
  return {columns.take()...};
}

/// std::map: two nodes lock rows in the same order.
Outcomes last_outcomes(Resolutions resolutions) {
  Outcomes outcomes;
  for (const Resolution& resolution : resolutions) outcomes[resolution.key] = &resolution;
  return outcomes;
}

void append_final(std::vector<Statement>& out, const Outcomes& outcomes) {
  Column messages(Oid::Int8), phones(Oid::Int8), states(Oid::Text), reasons(Oid::Text), attempts(Oid::Int4),
      provider_ids(Oid::Text), at(Oid::Timestamptz);
  for (const auto& [key, outcome] : outcomes) {
    if (!is_final(*outcome)) continue;
    messages.add(key.message_id.value);
    phones.add(key.phone_id.value);
    states.add(final_state(outcome->kind));
    reasons.add(outcome->reason);
    attempts.add(std::int32_t{outcome->attempt_count});
    provider_ids.add(outcome->provider_id);
    at.add(outcome->at);
  }
  if (messages.size() == 0) return;
  out.push_back(
      {&sql::finish_notifications, take(messages, phones, states, reasons, attempts, provider_ids, at)});
}

void append_postponed(std::vector<Statement>& out, const Outcomes& outcomes, int node, broker::UtcTime now) {
  Column messages(Oid::Int8), phones(Oid::Int8), reasons(Oid::Text), attempts(Oid::Int4),
      due_at(Oid::Timestamptz), is_kept(Oid::Bool);
  for (const auto& [key, outcome] : outcomes) {
    if (is_final(*outcome)) continue;
    messages.add(key.message_id.value);
    phones.add(key.phone_id.value);
    reasons.add(outcome->reason);
    attempts.add(std::int32_t{outcome->attempt_count});
    due_at.add(outcome->due_at);
    is_kept.add(outcome->kind == Resolution::Kind::RetryAt);
  }
  if (messages.size() == 0) return;
  out.push_back({&sql::postpone_notifications, take(messages, phones, reasons, attempts, due_at, is_kept)});
  out.back().parameters.push_back(pq::encode(std::int32_t{std::max(node, -1)}));
  out.back().parameters.push_back(pq::encode(now));
}

void append_proven(std::vector<Statement>& out, Resolutions resolutions) {
  std::map<broker::PhoneId, broker::Environment> proven;
  for (const Resolution& resolution : resolutions) {
    if (resolution.proven_environment) proven[resolution.key.phone_id] = *resolution.proven_environment;
  }
  if (proven.empty()) return;
  Column phones(Oid::Int8), environments(Oid::Text);
  for (const auto& [phone_id, environment] : proven) {
    phones.add(phone_id.value);
    environments.add(name(environment));
  }
  out.push_back({&sql::prove_environments, take(phones, environments)});
}

void append_removals(std::vector<Statement>& out, Resolutions resolutions, broker::UtcTime now) {
  Column phones(Oid::Int8), platforms(Oid::Text), apps(Oid::Text), environments(Oid::Text), tokens(Oid::Text),
      until(Oid::Timestamptz);
  for (const Resolution& resolution : resolutions) {
    if (!resolution.token_removal) continue;
    const broker::DeviceToken& token = resolution.token_removal->token;
    phones.add(resolution.key.phone_id.value);
    platforms.add(name(token.platform));
    apps.add(token.app_id);
    environments.add(name(token.environment));
    tokens.add(token.token);
    until.add(resolution.token_removal->registered_until);
  }
  if (phones.size() == 0) return;
  out.push_back({&sql::remove_tokens, take(phones, platforms, apps, environments, tokens, until)});
  out.back().parameters.push_back(pq::encode(now));
}

}  // namespace

std::span<const Query* const> outbox_queries() { return kQueries; }

std::vector<Statement> make_outbox_statements(Resolutions resolutions, int node, broker::UtcTime now) {
  const Outcomes outcomes = last_outcomes(resolutions);
  std::vector<Statement> out;
  append_final(out, outcomes);
  append_postponed(out, outcomes, node, now);
  append_proven(out, resolutions);
  append_removals(out, resolutions, now);
  return out;
}

}  // namespace wake::db
