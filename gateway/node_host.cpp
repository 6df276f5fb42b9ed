// Node: what its shards ask for, carried to whoever does it.
#include <algorithm>

#include "db/session_store.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/node.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/push_notifications.hpp"

namespace wake::gateway {

namespace {

constexpr std::chrono::milliseconds kLoadRetry{500};
// So often is a log-in looked up again because the registry changed meanwhile; then the client may try again.
constexpr int kLoginTries = 5;

/// Peer without its port.
std::string host_of(const std::string& address) { return address.substr(0, address.rfind(':')); }

Credentials to_credentials(broker::Authenticate& question) {
  Credentials credentials;
  credentials.username = std::move(question.username);
  if (question.password) credentials.password = Secret(std::move(*question.password));
  if (!question.certificate_cn.empty()) credentials.certificate_cn = std::move(question.certificate_cn);
  credentials.client_id = question.client_id.value;
  credentials.logins = question.logins;
  credentials.address = host_of(question.address);
  credentials.protocol = std::move(question.protocol);
  return credentials;
}

broker::AuthOutcome to_outcome(AuthResult result) {
  using Kind = broker::AuthOutcome::Kind;
  switch (result.outcome) {
    case AuthResult::Outcome::Ok:
      return {.kind = Kind::Allowed,
              .principal = std::move(result.principal),
              .grants = std::move(result.grants),
              .expires_at = result.expires_at,
              .token_login = result.token_login,
              .credential = result.credential};
    case AuthResult::Outcome::Refused:
    case AuthResult::Outcome::Throttled:
      return {.kind = Kind::Refused, .principal = {}, .grants = {}};
    case AuthResult::Outcome::StorageAway:
    case AuthResult::Outcome::WebhookAway:
    case AuthResult::Outcome::NeedsWebhook:
      return {.kind = Kind::Unavailable, .principal = {}, .grants = {}};
  }
  return {.kind = Kind::Refused, .principal = {}, .grants = {}};
}

broker::AuthOutcome to_outcome(AuthStepResult step) {
  using Kind = broker::AuthOutcome::Kind;
  broker::AuthOutcome outcome{.kind = Kind::BadMethod, .principal = {}, .grants = {}};
  if (step.kind == AuthStepResult::Kind::Done) outcome = to_outcome(std::move(step.result));
  if (step.kind == AuthStepResult::Kind::Continue) outcome.kind = Kind::Continue;
  outcome.data = std::move(step.data);
  outcome.state = std::move(step.state);
  return outcome;
}

AuthStep to_step(broker::Authenticate& question) {
  return {.method = std::move(question.method),
          .data = std::move(question.data),
          .state = std::move(question.state),
          .client_id = question.client_id.value,
          .logins = question.logins,
          .address = host_of(question.address)};
}

}  // namespace

void Node::authenticate(unsigned shard, broker::Authenticate question) {
  if (auto outcome = bridge_logins_.judge(question)) {
    return shards_[shard]->post(
        [connection = question.connection, outcome = std::move(*outcome)](
            broker::Broker& broker, broker::Now now) { broker.on_authenticated(connection, outcome, now); });
  }
  login_workers_.post([this, login = to_login(shard, question)] { judge_login(login); });
}

/// A log-in on its way through the workers.
struct Node::Login {
  unsigned shard = 0;
  broker::ConnectionId connection;
  broker::SteadyTime deadline{};
  bool has_method = false;  // enhanced authentication: `step`; else `credentials`
  AuthStep step;
  Credentials credentials;
};

std::shared_ptr<Node::Login> Node::to_login(unsigned shard, broker::Authenticate& question) {
  auto login = std::make_shared<Login>();
  login->shard = shard;
  login->connection = question.connection;
  login->deadline = question.deadline;
  login->has_method = !question.method.empty();
  if (login->has_method) {
    login->step = to_step(question);
  } else {
    login->credentials = to_credentials(question);
  }
  return login;
}

void Node::judge_login(const std::shared_ptr<Login>& login) {
  // In a storm of log-ins nothing is spent on who was refused meanwhile: or nobody would be in time.
  if (std::chrono::steady_clock::now() >= login->deadline) return;
  for (int tries = 0;; ++tries) {
    const std::uint64_t mark = changes_mark();
    broker::AuthOutcome outcome{
        .kind = broker::AuthOutcome::Kind::Unavailable, .principal = {}, .grants = {}};
    if (login->has_method && tries < kLoginTries) {
      outcome = to_outcome(authenticator_.step(login->step));
    } else if (tries < kLoginTries) {
      AuthResult result = authenticator_.authenticate(login->credentials);
      if (result.outcome == AuthResult::Outcome::NeedsWebhook && wait_for_webhook(login)) return;
      outcome = to_outcome(std::move(result));
    }
    if (answer_login(login->shard, login->connection, std::move(outcome), mark)) return;
  }
}

/// False: as many wait as may.
bool Node::wait_for_webhook(const std::shared_ptr<Login>& login) {
  login->credentials.may_wait_for_webhook = true;
  return authenticator_.continue_with_webhook([this, login] { judge_login(login); });
}

std::uint64_t Node::changes_mark() {
  const std::lock_guard lock(changes_mutex_);
  return changes_.mark();
}

bool Node::answer_login(unsigned shard, broker::ConnectionId connection, broker::AuthOutcome outcome,
                        std::uint64_t mark) {
  const std::lock_guard lock(changes_mutex_);
  const bool is_allowed = outcome.kind == broker::AuthOutcome::Kind::Allowed;
  if (is_allowed && changes_.has_changed_since(mark, outcome.principal)) return false;
  shards_[shard]->post([connection, outcome = std::move(outcome)](broker::Broker& broker, broker::Now now) {
    broker.on_authenticated(connection, outcome, now);
  });
  return true;
}

void Node::judge_will(unsigned shard, broker::JudgeWill question) {
  load_workers_.post([this, shard, question = std::move(question)] {
    // A bridge's own client has no will.
    const bool may_have_one = !BridgeLogins::is_bridge(question.client_id);
    std::optional<broker::Grants> grants;
    while (may_have_one && !grants) {
      AuthResult now_may = authenticator_.grants_for(question.principal, question.client_id.value);
      if (now_may.outcome == AuthResult::Outcome::Ok) grants = std::move(now_may.grants);
      if (now_may.outcome != AuthResult::Outcome::StorageAway) break;
      if (!load_workers_.wait_for(kLoadRetry)) return;
    }
    shards_[shard]->post([question, grants = std::move(grants)](broker::Broker& broker, broker::Now now) {
      broker.on_will_judged(question.client_id, question.will, grants, now);
    });
  });
}

void Node::load_queue(unsigned shard, broker::LoadQueue load) {
  load_workers_.post([this, shard, load = std::move(load)] {
    broker::QueuePage page;
    for (bool is_loaded = false; !is_loaded;) {
      try {
        page = load_pool_.with([&](db::Connection& connection) {
          return db::load_queue_page(connection, load.client_id, load.except, load.limit);
        });
        is_loaded = true;
      } catch (const std::exception& error) {
        log(LogLevel::Debug, "session.not_loaded", load.client_id.value + ": " + error.what());
        if (!load_workers_.wait_for(kLoadRetry)) return;
      }
    }
    shards_[shard]->post([load, page = std::move(page)](broker::Broker& broker, broker::Now now) {
      broker.on_queue_page(load.client_id, load.ticket, page, now);
    });
  });
}

void Node::commit(unsigned shard, broker::Persist batch) { commit_queue_->submit(shard, std::move(batch)); }

void Node::notify(std::vector<broker::Notice> notices) {
  dispatcher_->submit(to_notifications(std::move(notices)));
}

void Node::cancel(broker::CancelNotice notice) { dispatcher_->cancel({notice.message_id, notice.phone_id}); }

void Node::recall(broker::RecallNotices notices) { dispatcher_->recall(notices.phone_id); }

void Node::read_user(broker::UserId user) {
  load_workers_.post([this, user] {
    for (;;) {
      try {
        refresh_user(user);
        return;
      } catch (const std::exception& error) {
        log(LogLevel::Debug, "registry.not_read", "user " + std::to_string(user.value) + ": " + error.what());
        if (!load_workers_.wait_for(kLoadRetry)) return;
      }
    }
  });
}

void Node::pair(broker::PairRequest request) {
  load_workers_.post([this, request = std::move(request)] {
    try {
      pair_(request);
    } catch (const std::exception& error) {
      log(LogLevel::Warn, "pairing.failed", request.client_id.value + ": " + error.what());
    }
  });
}

std::uint64_t Node::expect_settlement(std::function<void(broker::PublishSettled)> answer) {
  const std::lock_guard lock(settlements_mutex_);
  settlements_.emplace(++last_ticket_, std::move(answer));
  return last_ticket_;
}

void Node::forget_settlement(std::uint64_t ticket) {
  const std::lock_guard lock(settlements_mutex_);
  settlements_.erase(ticket);
}

void Node::give_up_settlements() {
  std::map<std::uint64_t, std::function<void(broker::PublishSettled)>> waiting;
  {
    const std::lock_guard lock(settlements_mutex_);
    waiting.swap(settlements_);
  }
  for (const auto& [ticket, answer] : waiting) answer({ticket, {}, broker::ReasonCode::ServerShuttingDown});
}

void Node::settled(broker::PublishSettled settled) {
  std::function<void(broker::PublishSettled)> answer;
  {
    const std::lock_guard lock(settlements_mutex_);
    auto found = settlements_.extract(settled.ticket);
    if (found.empty()) return;  // nobody waits any more
    answer = std::move(found.mapped());
  }
  answer(settled);
}

}  // namespace wake::gateway
