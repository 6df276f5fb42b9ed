#include "db/account_rules.hpp"

#include "db/account_row.hpp"
#include "db/keep_answer.hpp"
#include "db/principal_kind.hpp"
#include "db/sql/account_rules.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

AclRule to_rule(const pqxx::row& row) {
  return {row["id"].as<std::int64_t>(),    row["subject"].as<std::string>(), row["name"].as<std::string>(),
          row["action"].as<std::string>(), row["filter"].as<std::string>(),  row["source"].as<std::string>()};
}

std::string action_of(const AclRow& rule) {
  if (rule.may_publish && rule.may_subscribe) return "all";
  return rule.may_publish ? "publish" : "subscribe";
}

bool is_same(const pqxx::result& stored, const std::vector<std::string>& actions,
             const std::vector<std::string>& filters) {
  if (static_cast<std::size_t>(stored.size()) != actions.size()) return false;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const pqxx::row row = stored[static_cast<pqxx::result::size_type>(i)];
    if (row["action"].as<std::string>() != actions[i] || row["filter"].as<std::string>() != filters[i])
      return false;
  }
  return true;
}

}  // namespace

AclRule add_rule(Pool& pool, const AclRule& rule, const KeepAnswer<AclRule>& keep) {
  return in_transaction(pool, [&](pqxx::work& work) {
    AclRule made =
        to_rule(exec(work, sql::account_rule_add, rule.subject, rule.name, rule.action, rule.filter).at(0));
    keep_answer(work, keep, made);
    return made;
  });
}

Page<AclRule> list_rules(Pool& pool, const PageRequest& page) {
  return cut_page<AclRule>(ask(pool, sql::account_rule_list, after_number(page), page.limit + 1), page,
                           to_rule, [](const AclRule& rule) { return std::to_string(rule.id); });
}

std::optional<AclRule> remove_rule(Pool& pool, std::int64_t id) {
  const pqxx::result removed = ask(pool, sql::account_rule_remove, id);
  if (removed.empty()) return std::nullopt;
  return to_rule(removed[0]);
}

bool replace_webhook_rules(Pool& pool, const broker::Principal& principal, const std::vector<AclRow>& rules) {
  const std::string kind(text_of(principal.kind));
  std::vector<std::string> actions;
  std::vector<std::string> filters;
  for (const AclRow& rule : rules) {
    actions.push_back(action_of(rule));
    filters.push_back(rule.filter);
  }
  if (is_same(ask(pool, sql::account_rule_webhook_list, kind, principal.name), actions, filters))
    return false;
  return in_transaction(pool, [&](pqxx::work& work) {
    exec(work, sql::account_rule_webhook_lock, kind + ':' + principal.name);
    exec(work, sql::account_rule_webhook_drop, kind, principal.name);
    exec(work, sql::account_rule_webhook_add, kind, principal.name, array_text(actions), array_text(filters));
    return true;
  });
}

}  // namespace wake::db
