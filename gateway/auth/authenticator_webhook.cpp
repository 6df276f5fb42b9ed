// Authenticator, by the operator's back end (webhook.hpp). Whom it lets in is an account or a device here
// from then on, without a password: it has phones, pairings and sessions like any other, and its rules are
// rows of acl_rules, so that they are judged again wherever the operator's are.
#include "broker-core/topic/topic_name.hpp"
#include "db/account_store.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/auth/login_throttle.hpp"
#include "gateway/auth/webhook.hpp"
#include "gateway/observe/log.hpp"

namespace wake::gateway {

using Outcome = AuthResult::Outcome;

bool Authenticator::continue_with_webhook(std::function<void()> work) {
  return options_.webhook && options_.webhook->post(std::move(work));
}

std::optional<WebhookStatus> Authenticator::webhook_status() const {
  if (!options_.webhook) return std::nullopt;
  return options_.webhook->status();
}

AuthResult Authenticator::check_webhook(const Credentials& credentials) {
  const WebhookQuestion question{.username = *credentials.username,
                                 .password = *credentials.password,
                                 .client_id = credentials.client_id,
                                 .address = credentials.address,
                                 .protocol = credentials.protocol};
  if (const auto verdict = options_.webhook->known(question)) return judge(credentials, *verdict);
  if (!credentials.may_wait_for_webhook) {
    return {.outcome = Outcome::NeedsWebhook, .principal = {}, .grants = {}};
  }
  return ask_webhook(credentials, question);
}

AuthResult Authenticator::ask_webhook(const Credentials& credentials, const WebhookQuestion& question) {
  const auto answer = options_.webhook->ask(question);
  if (!answer) return {.outcome = Outcome::WebhookAway, .principal = {}, .grants = {}};
  if (answer->verdict.is_allowed) {
    const auto account = find_or_add(question.username, answer->verdict.is_device);
    if (account) db::replace_webhook_rules(pool_, account->principal, answer->rules);
  }
  options_.webhook->remember(question, answer->verdict);  // not before what it gave is stored
  return judge(credentials, answer->verdict);
}

AuthResult Authenticator::judge(const Credentials& credentials, const WebhookVerdict& verdict) {
  const std::string& name = *credentials.username;
  if (!verdict.is_allowed) {
    throttle_->count_failure(name, credentials.address);
    return {};
  }
  const auto account = find_or_add(name, verdict.is_device);
  if (!account) {
    log(LogLevel::Warn, "auth.webhook_refused",
        name + " is refused: the back end takes it for a " + (verdict.is_device ? "device" : "user") +
            ", and here it is something else");
    return {};
  }
  throttle_->forget(name, credentials.address);
  return admit(*account, credentials.client_id);
}

std::optional<Authenticator::Account> Authenticator::find_or_add(const std::string& name, bool is_device) {
  if (is_device) {
    if (!db::is_device_id(name)) return std::nullopt;
    auto device = db::find_device(pool_, name);
    if (!device) device = db::add_device(pool_, name, "", "");
    if (!device) return std::nullopt;
    return account_of(*device);
  }
  auto user = db::find_user(pool_, name);
  if (!user) user = db::add_user(pool_, name, "");
  if (!user) return std::nullopt;
  return account_of(*user);
}

}  // namespace wake::gateway
