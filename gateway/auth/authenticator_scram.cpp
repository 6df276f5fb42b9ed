// Authenticator, by SCRAM-SHA-256. Between the two steps nothing is kept here: `state` is the client's first
// message and our challenge, and the verifier is looked up again, so a password changed in between refuses.
#include "broker-core/topic/topic_name.hpp"
#include "db/account_store.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/auth/login_throttle.hpp"
#include "gateway/auth/scram.hpp"

namespace wake::gateway {

using Outcome = AuthResult::Outcome;

namespace {

AuthStepResult ended(Outcome outcome) {
  return {.kind = AuthStepResult::Kind::Done,
          .result = {.outcome = outcome, .principal = {}, .grants = {}},
          .data = {},
          .state = {}};
}

}  // namespace

/// Who has the name, and the verifier: a fake one, and nobody, where there is none.
struct Authenticator::ScramEntry {
  std::optional<Account> account;
  ScramVerifier verifier;
};

AuthStepResult Authenticator::step(const AuthStep& step) {
  if (step.method != kScramMethod) {
    return {.kind = AuthStepResult::Kind::BadMethod, .result = {}, .data = {}, .state = {}};
  }
  try {
    return step.state.empty() ? challenge(step) : finish(step);
  } catch (const db::StorageAway&) {
    return ended(Outcome::StorageAway);
  }
}

AuthStepResult Authenticator::challenge(const AuthStep& step) {
  const auto first = parse_first(step.data);
  if (!may(step.logins, Login::Password, true)) return ended(Outcome::Refused);
  if (!first || !broker::is_id_allowed(first->name)) return ended(Outcome::Refused);
  if (throttle_->is_blocked(first->name, step.address)) return ended(Outcome::Throttled);
  const std::string challenge = make_challenge(*first, make_nonce(), find_scram(first->name).verifier);
  return {.kind = AuthStepResult::Kind::Continue,
          .result = {},
          .data = challenge,
          .state = step.data + '\n' + challenge};
}

AuthStepResult Authenticator::finish(const AuthStep& step) {
  const std::size_t end_of_first = step.state.rfind('\n');  // a challenge has none
  const auto first = parse_first(std::string_view(step.state).substr(0, end_of_first));
  if (!first || end_of_first == std::string::npos) return ended(Outcome::Refused);
  const std::string challenge = step.state.substr(end_of_first + 1);
  const ScramEntry entry = find_scram(first->name);
  const auto proven = check_proof(*first, challenge, step.data, entry.verifier);
  if (!proven || !entry.account) {
    throttle_->count_failure(first->name, step.address);
    return ended(Outcome::Refused);
  }
  throttle_->forget(first->name, step.address);
  return {.kind = AuthStepResult::Kind::Done,
          .result = admit(*entry.account, step.client_id),
          .data = *proven,
          .state = {}};
}

Authenticator::ScramEntry Authenticator::find_scram(const std::string& name) {
  if (db::is_device_id(name)) {
    const auto device = db::find_device(pool_, name);
    const auto verifier = device ? parse_verifier(device->scram) : std::nullopt;
    if (verifier) return {account_of(*device), *verifier};
  }
  const auto user = db::find_user(pool_, name);
  const auto verifier = user ? parse_verifier(user->scram) : std::nullopt;
  if (verifier) return {account_of(*user), *verifier};
  return {std::nullopt, fake_verifier(db::shared_secret(pool_, "scram_fakes"), name)};
}

}  // namespace wake::gateway
