// What is remembered of requests with an Idempotency-Key, so that repeating one does nothing twice. The
// order: claim_key, then the request is carried out, with KeepAnswer where it creates something, then
// keep_answer or forget_key. A row without an answer whose holder is gone is taken over by the next who asks.
// Blocking, one transaction a call, throws StorageAway. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "broker-core/types.hpp"
#include "db/pool.hpp"

namespace wake::db {

struct KeyedRequest {
  std::string principal;     // "user:12"
  std::string key;           // 1 to 255 bytes
  std::string request_hash;  // SHA-256 of method, path and body
};

struct KeyClaim {
  enum class Outcome {
    First,         // carry it out
    Unknown,       // an earlier try ended without an answer: carry it out if it was not
    UnderWay,      // at another node
    OtherRequest,  // the key belongs to a request that is not this one
    Answered,      // answer this
  };
  Outcome outcome = Outcome::First;
  broker::MessageId message_id{};   // First, Unknown: what a publish is to become
  int status = 0;                   // Answered
  std::optional<std::string> body;  // Answered; empty: it showed a secret
};

struct KeyRules {
  broker::UtcTime now{};
  broker::UtcTime expires_at{};
  std::uint32_t max_keys = 10'000;  // of one principal; older ones are forgotten
};

/// fresh_id  a new message id of this node, which it also names
/// The caller makes sure that the same key is not under way in this process.
KeyClaim claim_key(Pool& pool, const KeyedRequest& request, broker::MessageId fresh_id,
                   const KeyRules& rules);
/// No body: it showed a secret.
void keep_answer(Pool& pool, const KeyedRequest& request, int status, const std::optional<std::string>& body);
/// The answer to a request that creates something, committed with what it creates: whether it was carried out
/// is then never unknown. Default: the request has no key.
template <class Made>
struct KeepAnswer {
  struct Answer {
    int status = 0;
    std::optional<std::string> body;  // as in keep_answer()
  };
  std::optional<KeyedRequest> request{};
  std::function<Answer(const Made&)> to_answer{};
};

/// The request was refused and has changed nothing: the key may be used again.
void forget_key(Pool& pool, const KeyedRequest& request);

/// Of a message that was published under a claimed id, after a try whose outcome is not known: did it
/// succeed?
bool is_published(Pool& pool, broker::MessageId message);

}  // namespace wake::db
