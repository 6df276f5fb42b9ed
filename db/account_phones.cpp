// A registration touches up to three unique things (phone, client id, token) that another request may be
// taking at the same moment. PostgreSQL decides; who loses sees a unique violation or a deadlock and starts
// over, a few times.
#include "db/account_phones.hpp"

#include <pqxx/except>

#include "db/account_row.hpp"
#include "db/sql/account_phones.sql.hpp"

namespace wake::db {

using namespace account;

namespace {

constexpr int kMaxTries = 4;

const char* text_of(broker::Platform platform) { return platform == broker::Platform::Apns ? "apns" : "fcm"; }
const char* text_of(broker::Environment environment) {
  return environment == broker::Environment::Production ? "production" : "sandbox";
}
const char* text_of(broker::TokenKind kind) { return kind == broker::TokenKind::Token ? "token" : "fid"; }

broker::DeviceToken to_token(const pqxx::row& row) {
  using broker::Environment, broker::Platform, broker::TokenKind;
  return {.platform = row["platform"].as<std::string>() == "apns" ? Platform::Apns : Platform::Fcm,
          .app_id = row["app_id"].as<std::string>(),
          .environment = row["environment"].as<std::string>() == "production" ? Environment::Production
                                                                              : Environment::Sandbox,
          .environment_proven = row["environment_proven"].as<bool>(),
          .kind = row["token_kind"].as<std::string>() == "token" ? TokenKind::Token : TokenKind::Fid,
          .token = row["token"].as<std::string>(),
          .registered_at = to_time(row["registered_us"])};
}

Phone to_phone(const pqxx::row& row) {
  return {{.id = broker::PhoneId{row["id"].as<std::int64_t>()},
           .phone_id = row["phone_id"].as<std::string>(),
           .client_id = broker::ClientId{row["client_id"].as<std::string>()},
           .token = to_token(row),
           .locale = row["locale"].as<std::string>()},
          to_time(row["created_us"])};
}

/// The client id is, or becomes, this phone's alone: Created. Else why not.
PhoneRegistration::Outcome take_client_id(pqxx::work& work, broker::UserId user,
                                          const broker::PhoneRecord& phone) {
  using Outcome = PhoneRegistration::Outcome;
  const std::string& client_id = phone.client_id.value;
  const pqxx::result other =
      exec(work, sql::account_phone_other_with_client_id, client_id, user.value, phone.phone_id);
  if (!other.empty()) {
    return other[0][0].as<std::int64_t>() == user.value ? Outcome::ClientIdOfOwnPhone
                                                        : Outcome::ClientIdTaken;
  }
  const bool is_taken = exec(work, sql::account_phone_make_session, client_id, user.value).empty();
  return is_taken ? Outcome::ClientIdTaken : Outcome::Created;
}

void take_token(pqxx::work& work, broker::UserId user, const broker::PhoneRecord& phone,
                PhoneRegistration& done) {
  const broker::DeviceToken& token = phone.token;
  for (const pqxx::row& row : exec(work, sql::account_phone_take_token, text_of(token.platform), token.app_id,
                                   token.token, user.value, phone.phone_id)) {
    const broker::UserId other{row[0].as<std::int64_t>()};
    if (other != user) done.other_users.push_back(other);
  }
}

std::optional<Phone> lock_phone(pqxx::work& work, broker::UserId user, const std::string& phone_id) {
  const pqxx::result found = exec(work, sql::account_phone_lock, user.value, phone_id);
  return found.empty() ? std::nullopt : std::optional(to_phone(found[0]));
}

PhoneRegistration try_register(pqxx::work& work, broker::UserId user, const broker::PhoneRecord& phone,
                               bool has_environment, std::uint32_t max_phones,
                               const std::function<void(const Phone* former)>& check) {
  PhoneRegistration done;
  const std::optional<Phone> former = lock_phone(work, user, phone.phone_id);
  check(former ? &*former : nullptr);
  const bool is_one_more = !former;
  if (is_one_more &&
      exec(work, sql::account_phone_count, user.value)[0][0].as<std::int64_t>() >= max_phones) {
    done.outcome = PhoneRegistration::Outcome::TooMany;
    return done;
  }
  done.outcome = take_client_id(work, user, phone);
  if (done.outcome != PhoneRegistration::Outcome::Created) return done;
  if (!is_one_more) {
    done.outcome = PhoneRegistration::Outcome::Refreshed;
    const broker::ClientId& former_client_id = former->record.client_id;
    if (former_client_id != phone.client_id) {
      exec(work, sql::account_phone_drop_session, former_client_id.value, user.value);
      done.former_client_id = former_client_id;
    }
  }
  take_token(work, user, phone, done);
  const broker::DeviceToken& token = phone.token;
  done.phone = to_phone(exec(work, sql::account_phone_put, user.value, phone.phone_id, phone.client_id.value,
                             text_of(token.platform), token.app_id, text_of(token.environment), token.token,
                             text_of(token.kind), has_environment, phone.locale)[0]);
  return done;
}

}  // namespace

PhoneRegistration register_phone(Pool& pool, broker::UserId user, const broker::PhoneRecord& phone,
                                 bool has_environment, std::uint32_t max_phones,
                                 const std::function<void(const Phone* former)>& check) {
  for (int tries = 1;; ++tries) {
    try {
      return in_transaction(pool, [&](pqxx::work& work) {
        return try_register(work, user, phone, has_environment, max_phones, check);
      });
    } catch (const pqxx::unique_violation&) {
      if (tries == kMaxTries) throw;
    } catch (const pqxx::deadlock_detected&) {
      if (tries == kMaxTries) throw;
    }
  }
}

Page<Phone> list_phones(Pool& pool, broker::UserId user, const PageRequest& page) {
  return cut_page<Phone>(ask(pool, sql::account_phone_list, user.value, page.after, page.limit + 1), page,
                         to_phone, [](const Phone& phone) { return phone.record.phone_id; });
}

std::optional<Phone> find_phone(Pool& pool, broker::UserId user, const std::string& phone_id) {
  const pqxx::result rows = ask(pool, sql::account_phone_find, user.value, phone_id);
  if (rows.empty()) return std::nullopt;
  return to_phone(rows[0]);
}

std::optional<broker::ClientId> remove_phone(Pool& pool, broker::UserId user, const std::string& phone_id) {
  return in_transaction(pool, [&](pqxx::work& work) -> std::optional<broker::ClientId> {
    const pqxx::result removed = exec(work, sql::account_phone_remove, user.value, phone_id);
    if (removed.empty()) return std::nullopt;
    const broker::ClientId client_id{removed[0][0].as<std::string>()};
    exec(work, sql::account_phone_drop_session, client_id.value, user.value);
    return client_id;
  });
}

}  // namespace wake::db
