#include "db/idempotency_store.hpp"

#include "db/account_row.hpp"
#include "db/sql/idempotency.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

/// One claim in so many trims, so that a principal's rows stay near max_keys and few claims pay for it.
constexpr std::int64_t kTrimEvery = 64;

bool is_turn_to_trim(broker::MessageId fresh_id) { return (fresh_id.value >> 20) % kTrimEvery == 0; }

KeyClaim read_claim(pqxx::work& work, const KeyedRequest& request, broker::MessageId fresh_id) {
  const pqxx::result found =
      exec(work, sql::idempotency_find, request.principal, request.key, fresh_id.value);
  KeyClaim claim{.outcome = KeyClaim::Outcome::UnderWay, .body = {}};
  if (found.empty()) return claim;  // refused, and forgotten this moment
  const pqxx::row row = found[0];
  if (row["request_hex"].as<std::string>() != to_hex(request.request_hash)) {
    claim.outcome = KeyClaim::Outcome::OtherRequest;
  } else if (row["is_free"].as<bool>()) {
    claim.outcome = KeyClaim::Outcome::Unknown;
    claim.message_id.value = row["message_id"].as<std::int64_t>();
    exec(work, sql::idempotency_take_over, request.principal, request.key, fresh_id.value);
  } else if (row["status"].as<int>() != 0) {
    claim.outcome = KeyClaim::Outcome::Answered;
    claim.status = row["status"].as<int>();
    if (!row["body"].is_null()) claim.body = row["body"].as<std::string>();
  }
  return claim;
}

}  // namespace

KeyClaim claim_key(Pool& pool, const KeyedRequest& request, broker::MessageId fresh_id,
                   const KeyRules& rules) {
  return in_transaction(pool, [&](pqxx::work& work) {
    if (is_turn_to_trim(fresh_id))
      exec(work, sql::idempotency_trim, request.principal, static_cast<std::int64_t>(rules.max_keys));
    const bool is_first =
        !exec(work, sql::idempotency_add, request.principal, request.key, to_hex(request.request_hash),
              fresh_id.value, to_us(rules.now), to_us(rules.expires_at))
             .empty();
    return is_first ? KeyClaim{.message_id = fresh_id, .body = {}} : read_claim(work, request, fresh_id);
  });
}

void keep_answer(Pool& pool, const KeyedRequest& request, int status,
                 const std::optional<std::string>& body) {
  ask(pool, sql::idempotency_answer, request.principal, request.key, status, body);
}

void forget_key(Pool& pool, const KeyedRequest& request) {
  ask(pool, sql::idempotency_forget, request.principal, request.key);
}

bool is_published(Pool& pool, broker::MessageId message) {
  return ask(pool, sql::idempotency_is_published, message.value)[0][0].as<bool>();
}

}  // namespace wake::db
