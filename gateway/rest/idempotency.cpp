#include "gateway/rest/idempotency.hpp"

#include <algorithm>

#include "db/idempotency_store.hpp"
#include "gateway/auth/secret.hpp"
#include "gateway/rest/call.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxKeyBytes = 255;

db::KeyedRequest keyed_request(const Call& call) {
  const Request& request = call.request;
  const bool is_printable =
      std::ranges::all_of(request.idempotency_key, [](char c) { return c > ' ' && c < 0x7F; });
  if (request.idempotency_key.size() > kMaxKeyBytes || !is_printable) {
    throw invalid_field("Idempotency-Key", "a header of 1 to 255 printable ASCII characters without spaces");
  }
  return {.principal = caller_name(call.who.principal),
          .key = request.idempotency_key,
          .request_hash = sha256(request.method + "\n" + request.target + "\n" + request.body)};
}

Problem under_way() {
  Problem problem =
      conflict("A request with this Idempotency-Key is under way.", "Repeat it a moment later.");
  problem.headers = {{"Retry-After", "1"}};
  return problem;
}

Problem other_request() {
  return {422,
          "idempotency-key-reused",
          "The Idempotency-Key was used for something else",
          "There was a request with this key and another method, path or body.",
          "Use a new key for a new request.",
          "Idempotency-Key"};
}

Response replay(const db::KeyClaim& claim) {
  if (!claim.body) {
    throw conflict("This was done before, and its answer showed a secret, which is kept nowhere.",
                   "If the answer did not reach you, remove what was made and make it again with a new "
                   "Idempotency-Key.");
  }
  return {.status = claim.status,
          .content_type = "application/json",
          .body = *claim.body,
          .headers = {{"Idempotency-Replayed", "true"}}};
}

Response run_and_keep(const Call& call, Handler handler, const db::KeyedRequest& request) {
  try {
    Response response = handler(call);
    db::keep_answer(call.context.pool, request, response.status, kept_body(response));
    return response;
  } catch (const Problem& problem) {
    if (problem.status < 500) db::forget_key(call.context.pool, request);
    throw;
  }
}

}  // namespace

std::optional<std::string> kept_body(const Response& response) {
  const std::pair<std::string, std::string> no_store{"Cache-Control", "no-store"};
  if (std::ranges::find(response.headers, no_store) != response.headers.end()) return std::nullopt;
  return response.body;
}

KeysUnderWay::Turn::~Turn() {
  if (keys_ == nullptr) return;
  const std::lock_guard lock(keys_->mutex_);
  keys_->keys_.erase(key_);
}

std::optional<KeysUnderWay::Turn> KeysUnderWay::take(std::string key) {
  const std::lock_guard lock(mutex_);
  if (!keys_.insert(key).second) return std::nullopt;
  return std::optional<Turn>(std::in_place, *this, std::move(key));
}

Response answer_once(Call& call, Handler handler) {
  using Outcome = db::KeyClaim::Outcome;
  if (call.request.idempotency_key.empty()) return handler(call);
  Context& context = call.context;
  const db::KeyedRequest request = keyed_request(call);
  const auto turn = context.keys_under_way.take(request.principal + " " + request.key);
  if (!turn) throw under_way();
  const broker::UtcTime now = utc_now();
  const db::KeyClaim claim = db::claim_key(context.pool, request, context.port.make_message_id(),
                                           {.now = now,
                                            .expires_at = now + context.options.idempotency_ttl,
                                            .max_keys = context.options.max_idempotency_keys});
  if (claim.outcome == Outcome::UnderWay) throw under_way();
  if (claim.outcome == Outcome::OtherRequest) throw other_request();
  if (claim.outcome == Outcome::Answered) return replay(claim);
  call.attempt = Attempt{request, claim.message_id, claim.outcome == Outcome::First};
  return run_and_keep(call, handler, request);
}

}  // namespace wake::gateway::rest
