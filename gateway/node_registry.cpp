// Node: changes of the registry carried to the shards, whoever made them: REST here, REST on another node,
// the command line, or an operator's SQL (db/registry_change.hpp).
#include <stdexcept>

#include "db/account_logins.hpp"
#include "db/registry_store.hpp"
#include "db/storage_away.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/gathering.hpp"
#include "gateway/node.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

namespace {

// Patience with shards, which may be asked for all their sessions.
constexpr std::chrono::seconds kSessionAnswers{30};

void log_not_refreshed(const std::string& what, const std::exception& error) {
  log(LogLevel::Error, "registry.not_refreshed", what + ": " + error.what());
}

}  // namespace

void log_bad_policy(broker::EntryId entry, const std::string& what) {
  log(LogLevel::Warn, "registry.bad_policy",
      "topic entry " + std::to_string(entry.value) + ": " + what + "; the default policy applies");
}

broker::UserRecordPtr Node::refresh_user(broker::UserId user, const std::function<void()>& applied) {
  const std::lock_guard lock(registry_);
  broker::UserRecordPtr record = load_pool_.with(
      [&](db::Connection& connection) { return db::load_user(connection, user, log_bad_policy); });
  const broker::Principal principal{broker::Principal::Kind::User, std::to_string(user.value), ""};
  tell_shards([principal](const broker::Principal& one) { return one == principal; },
              [record, applied](broker::Broker& broker, broker::Now now) {
                broker.apply_user(record, now);
                if (applied) applied();
              });
  return record;
}

void Node::tell_shards(RecentChanges::Concerns concerns, const Shard::Work& work) {
  const std::lock_guard lock(changes_mutex_);
  changes_.note(std::move(concerns));
  for (const auto& shard : shards_) shard->post(work);
}

void Node::end_logins(const broker::Principal& principal, const std::function<void()>& applied) {
  const auto outcome = authenticator_.grants_for(principal, "").outcome;
  if (outcome == AuthResult::Outcome::StorageAway) {
    throw db::StorageAway("whether " + principal.name + " still exists cannot be asked");
  }
  const bool is_gone = outcome == AuthResult::Outcome::Refused;
  tell_shards([principal](const broker::Principal& one) { return one == principal; },
              [principal, is_gone, applied](broker::Broker& broker, broker::Now now) {
                broker.end_logins(principal, is_gone, now);
                if (applied) applied();
              });
}

void Node::revoke_login(broker::UserId user, std::int64_t login, const std::function<void()>& applied) {
  const broker::Principal principal{broker::Principal::Kind::User, std::to_string(user.value), ""};
  tell_shards([principal](const broker::Principal& one) { return one == principal; },
              [login, applied](broker::Broker& broker, broker::Now now) {
                broker.revoke_login(login, now);
                if (applied) applied();
              });
}

void Node::judge_again(const std::function<bool(const broker::Principal&)>& is_meant) {
  const auto gathering = std::make_shared<Gathering<std::vector<broker::SessionView>>>();
  tell_shards(is_meant, [gathering, is_meant](broker::Broker& broker, broker::Now) {
    gathering->add(broker.sessions(is_meant));
  });
  std::vector<broker::SessionView> connected, away;
  const auto answers = gathering->wait(shards_.size(), kSessionAnswers);
  if (answers.size() < shards_.size()) throw std::runtime_error("not every shard says which sessions it has");
  for (const auto& sessions : answers) {
    for (const broker::SessionView& session : sessions)
      (session.is_connected ? connected : away).push_back(session);
  }
  for (const auto* sessions : {&connected, &away}) {
    for (const broker::SessionView& session : *sessions) judge_again(session);
  }
}

void Node::judge_again(const broker::SessionView& session) {
  if (BridgeLogins::is_bridge(session.client_id)) return;  // its grants are its configured topics
  AuthResult now_may = authenticator_.grants_for(session.principal, session.client_id.value);
  switch (now_may.outcome) {
    case AuthResult::Outcome::Ok: {
      const bool is_revoked = session.token_login != 0 && !db::has_login(pool_, session.token_login);
      home_of(session.client_id)
          .post([session, is_revoked, may = std::move(now_may)](broker::Broker& broker, broker::Now now) {
            broker.apply_grants(session.client_id, may.grants, now);
            broker.end_former_login(session.client_id, may.credential, now);
            if (is_revoked) broker.revoke_login(session.token_login, now);
          });
      return;
    }
    case AuthResult::Outcome::StorageAway:
    case AuthResult::Outcome::WebhookAway:  // grants_for() never asks the webhook
    case AuthResult::Outcome::NeedsWebhook:
      throw db::StorageAway("what " + session.client_id.value + " may do cannot be asked");
    case AuthResult::Outcome::Refused:
    case AuthResult::Outcome::Throttled:
      home_of(session.client_id)
          .post([principal = session.principal](broker::Broker& broker, broker::Now now) {
            broker.end_logins(principal, true, now);
          });
  }
}

void Node::apply(const db::RegistryChange& change) {
  using What = db::RegistryChange::What;
  try {
    switch (change.what) {
      case What::User:
        refresh_user(broker::UserId{std::stoll(change.id)});
        return;
      case What::Alerts:
        alerts_.tell(broker::UserId{std::stoll(change.id)});
        return;
      case What::Login:
        end_logins({*change.kind, change.id, change.id});
        return;
      case What::Token:
        revoke_login(broker::UserId{std::stoll(change.id)}, change.login_id);
        return;
      case What::Rules:
        judge_again([change](const broker::Principal& principal) { return change.concerns(principal); });
        refresh_ruled(change);
        return;
    }
  } catch (const db::StorageAway&) {
    throw;  // the listener resynchronises when it is back
  } catch (const std::exception& error) {
    log_not_refreshed("a change of " + change.id, error);
  }
}

/// Topic entries may stand on a rule that is no more, or be of use again.
void Node::refresh_ruled(const db::RegistryChange& change) {
  if (change.kind && change.kind != broker::Principal::Kind::User) return;
  if (change.id.empty()) return refresh_all_users();
  const auto user =
      load_pool_.with([&](db::Connection& connection) { return db::load_user_id(connection, change.id); });
  if (user) refresh_user(*user);
}

void Node::refresh_all_users() {
  const std::lock_guard lock(registry_);
  load_pool_.with([&](db::Connection& connection) {
    const auto each = [&](const broker::UserRecordPtr& record) {
      for (const auto& shard : shards_) {
        shard->post([record](broker::Broker& broker, broker::Now now) { broker.apply_user(record, now); });
      }
    };
    db::load_all_users(connection, each, log_bad_policy);
  });
}

void Node::resync_registry() {
  try {
    refresh_all_users();
    judge_again([](const broker::Principal&) { return true; });
    alerts_.tell(std::nullopt);
  } catch (const db::StorageAway&) {
    throw;
  } catch (const std::exception& error) {
    log_not_refreshed("not all changes made while PostgreSQL was away are known", error);
  }
}

}  // namespace wake::gateway
