// Idempotency-Key: a POST that creates or publishes may be repeated, and does nothing twice. The same key
// with the same request is answered as the first time; with another it is 422; while the first is under way,
// 409. Kept in PostgreSQL per principal for [limits] idempotency_ttl. An answer that shows a secret
// (Cache-Control: no-store) is not kept: repeating it is 409.
//
// Calls that anybody may make take no key: their bodies hold passwords, of which no quick digest may lie
// about, and a name that is registered twice is 409 anyway.
//
// A refusal changes nothing and frees the key. What creates something stores its answer in the same
// transaction (keep()). What ended without anybody knowing how (the gateway was killed, the database went
// away) is carried out by who repeats it: a publish under the message id that its key has had from the start,
// and only if that message is not there (publish.cpp); anything else anew, since it was not done, or does
// nothing the second time (a claim, an acknowledgement), or was lost with the code that only its answer
// showed.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "broker-core/types.hpp"
#include "db/idempotency_store.hpp"

namespace wake::gateway::rest {

struct Call;
struct Response;
using Handler = Response (*)(const Call&);

/// Of a call with a key, for its handler.
struct Attempt {
  db::KeyedRequest request;
  broker::MessageId message_id;
  bool is_first = true;  // else an earlier one may have succeeded
};

/// What is kept of an answer; nothing when it shows a secret.
std::optional<std::string> kept_body(const Response& response);

/// Keys of requests under way in this process: as many as workers. Thread: any.
class KeysUnderWay {
 public:
  class Turn {
   public:
    Turn(KeysUnderWay& keys, std::string key) : keys_(&keys), key_(std::move(key)) {}
    Turn(Turn&& other) noexcept : keys_(std::exchange(other.keys_, nullptr)), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    KeysUnderWay* keys_;
    std::string key_;
  };
  /// Empty: it is under way.
  std::optional<Turn> take(std::string key);

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> keys_;
};

/// For the handler of a call that creates something: `to_response` makes the answer of what was made.
template <class Made, class ToResponse>
db::KeepAnswer<Made> keep(const std::optional<Attempt>& attempt, ToResponse to_response) {
  if (!attempt) return {};
  return {attempt->request, [to_response](const Made& made) -> typename db::KeepAnswer<Made>::Answer {
            const auto response = to_response(made);
            return {response.status, kept_body(response)};
          }};
}

/// Runs the handler, or answers what it answered before. Throws Problem as told above, and the handler's.
Response answer_once(Call& call, Handler handler);

}  // namespace wake::gateway::rest
