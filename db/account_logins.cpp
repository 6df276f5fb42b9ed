#include "db/account_logins.hpp"

#include "db/account_row.hpp"
#include "db/sql/account_logins.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

void add_token(pqxx::work& work, broker::UserId user, std::int64_t login_id, const LoginTokens& tokens) {
  exec(work, sql::account_login_add_token, to_hex(tokens.access_hash), user.value, login_id,
       to_us(tokens.access_expires_at));
  exec(work, sql::account_login_trim_tokens, login_id, kMaxTokensOfLogin);
}

std::optional<RevokedLogin> first_revoked(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return RevokedLogin{rows[0]["id"].as<std::int64_t>(),
                      broker::UserId{rows[0]["user_id"].as<std::int64_t>()}};
}

}  // namespace

std::int64_t add_login(Pool& pool, broker::UserId user, const LoginTokens& tokens, broker::UtcTime now) {
  return in_transaction(pool, [&](pqxx::work& work) {
    const pqxx::result added = exec(work, sql::account_login_add, user.value, to_hex(tokens.family_hash),
                                    to_hex(tokens.current_hash), to_us(now), to_us(tokens.expires_at));
    const auto id = added.at(0)["id"].as<std::int64_t>();
    add_token(work, user, id, tokens);
    exec(work, sql::account_login_trim, user.value, kMaxLogins);
    return id;
  });
}

Refresh refresh_login(Pool& pool, const std::string& shown_hash, const LoginTokens& fresh,
                      broker::UtcTime now) {
  return in_transaction(pool, [&](pqxx::work& work) -> Refresh {
    const pqxx::result found = exec(work, sql::account_login_take, to_hex(fresh.family_hash), to_us(now));
    if (found.empty()) return {};
    const std::string shown = to_hex(shown_hash);
    const pqxx::row login = found[0];
    Refresh refresh{Refresh::Outcome::Done, login["id"].as<std::int64_t>(),
                    broker::UserId{login["user_id"].as<std::int64_t>()}};
    const bool is_current = shown == login["current_hex"].as<std::string>();
    const broker::UtcTime rotated_at = to_time(login["rotated_us"]);
    const bool is_repeated =
        shown == login["former_hex"].as<std::string>() && now < rotated_at + kRefreshGrace;
    if (!is_current && !is_repeated) {
      exec(work, sql::account_login_remove, refresh.login_id);
      refresh.outcome = Refresh::Outcome::Reused;
      return refresh;
    }
    exec(work, sql::account_login_rotate, refresh.login_id, to_hex(fresh.current_hash), shown,
         to_us(is_current ? now : rotated_at), to_us(fresh.expires_at));
    add_token(work, refresh.user, refresh.login_id, fresh);
    return refresh;
  });
}

std::optional<RevokedLogin> revoke_login_of_family(Pool& pool, const std::string& family_hash) {
  return first_revoked(ask(pool, sql::account_login_remove_family, to_hex(family_hash)));
}

std::optional<RevokedLogin> revoke_login_of_token(Pool& pool, const std::string& access_hash) {
  return first_revoked(ask(pool, sql::account_login_remove_by_token, to_hex(access_hash)));
}

bool has_login(Pool& pool, std::int64_t login_id) {
  return !ask(pool, sql::account_login_find, login_id).empty();
}

std::optional<TokenOwner> find_token_owner(Pool& pool, const std::string& access_hash, broker::UtcTime now) {
  const pqxx::result rows = ask(pool, sql::account_token_find_owner, to_hex(access_hash), to_us(now));
  if (rows.empty()) return std::nullopt;
  return TokenOwner{to_user(rows[0]), rows[0]["login_id"].as<std::int64_t>(), to_time(rows[0]["expires_us"])};
}

}  // namespace wake::db
