#include "db/registry_store.hpp"

#include <algorithm>

#include <pqxx/connection>

#include "database_fixture.hpp"
#include "db/registry_listener.hpp"

namespace wake::db {
namespace {

using broker::UserId;
using std::chrono::milliseconds;

class RegistryTest : public DatabaseTest {
 protected:
  void add_camera() const {
    sql("INSERT INTO devices (id, name, secret_hash) VALUES ('cam', 'Camera', decode(repeat('00', 32), "
        "'hex'));"
        "INSERT INTO pairings (user_id, device_id, name) VALUES (1, 'cam', 'Garage')");
  }
  pqxx::connection connection_{url()};
};

TEST_F(RegistryTest, LoadsAUserWithEverything) {
  add_ann();
  add_camera();
  sql("UPDATE topic_entries SET device_id = 'cam', push = '{\"mode\":\"always\"}';"
      "UPDATE phones SET environment = 'sandbox', token_kind = 'fid', environment_proven = true, locale = "
      "'de'");
  const auto user = load_user(connection_, UserId{1});
  EXPECT_EQ(user->username, "ann");
  EXPECT_EQ(user->device_ids, std::vector<std::string>{"cam"});
  ASSERT_EQ(user->phones.size(), 1u);
  const auto& phone = user->phones[0];
  EXPECT_EQ(phone.client_id.value, "c1");
  EXPECT_EQ(phone.locale, "de");
  EXPECT_EQ(phone.token, (broker::DeviceToken{broker::Platform::Fcm, "app", broker::Environment::Sandbox,
                                              true, broker::TokenKind::Fid, "tok",
                                              std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)}));
  ASSERT_EQ(user->entries.size(), 1u);
  const auto& entry = *user->entries[0];
  EXPECT_EQ(entry.device_name, "Garage");
  EXPECT_EQ(entry.title, "Door");
  EXPECT_EQ(entry.push.mode, broker::PushMode::Always);
}

TEST_F(RegistryTest, RulesThatLetAUserReadComeWithIt) {
  add_ann();
  sql("INSERT INTO acl_rules (subject, name, action, filter) VALUES ('user', 'ann', 'subscribe', 'a/%u'),"
      " ('user', '', 'all', 'b/%c'), ('all', '', 'publish', 'c'), ('user', 'bob', 'all', 'd'),"
      " ('device', 'ann', 'all', 'e'), ('all', 'ann', 'subscribe', 'f')");
  EXPECT_EQ(load_user(connection_, UserId{1})->read_rules, (std::vector<std::string>{"a/%u", "b/%c", "f"}));
  EXPECT_EQ(load_user_id(connection_, "ann"), UserId{1});
  EXPECT_EQ(load_user_id(connection_, "nobody"), std::nullopt);
}

TEST_F(RegistryTest, TheDevicesOwnNameStandsInForAnEmptyPairingName) {
  add_ann();
  add_camera();
  sql("UPDATE topic_entries SET device_id = 'cam'; UPDATE pairings SET name = ''");
  EXPECT_EQ(load_user(connection_, UserId{1})->entries.at(0)->device_name, "Camera");
}

TEST_F(RegistryTest, AUserWhoIsGoneIsAnEmptyRecord) {
  const auto user = load_user(connection_, UserId{77});
  EXPECT_EQ(user->id, UserId{77});
  EXPECT_TRUE(user->phones.empty() && user->entries.empty() && user->device_ids.empty());
}

TEST_F(RegistryTest, ABadPolicyIsReportedAndTheDefaultUsed) {
  add_ann();
  sql("UPDATE topic_entries SET push = '{\"mode\":\"loud\"}'");
  std::string told;
  const auto user =
      load_user(connection_, UserId{1}, [&](broker::EntryId, const std::string& what) { told = what; });
  EXPECT_EQ(user->entries.at(0)->push, broker::PushPolicy{});
  EXPECT_NE(told.find("push.mode"), std::string::npos);
}

TEST_F(RegistryTest, LoadsAllUsersPageByPage) {
  sql("INSERT INTO users (username, password_hash) SELECT 'u' || i, '$argon2id$' FROM generate_series(1, "
      "11000) i;"
      "INSERT INTO phones (user_id, phone_id, client_id, platform, app_id) SELECT id, 'p', 'c' || id, "
      "'apns', 'a' FROM users"
      " WHERE id % 2 = 0;"
      "INSERT INTO topic_entries (user_id, filter) SELECT id, 'f' || n FROM users, generate_series(1, 2) n "
      "WHERE id % 3 = 0");
  std::size_t users = 0;
  load_all_users(connection_, [&](broker::UserRecordPtr user) {
    ++users;
    ASSERT_EQ(user->phones.size(), user->id.value % 2 == 0 ? 1u : 0u);
    ASSERT_EQ(user->entries.size(), user->id.value % 3 == 0 ? 2u : 0u);
    if (!user->phones.empty()) {
      ASSERT_EQ(user->phones[0].client_id.value, "c" + std::to_string(user->id.value));
    }
  });
  EXPECT_EQ(users, 11'000u);
}

TEST_F(RegistryTest, FindsAPhonesOwner) {
  add_ann();
  EXPECT_EQ(load_user_id_of_phone(connection_, {1}), UserId{1});
  EXPECT_EQ(load_user_id_of_phone(connection_, {2}), std::nullopt);
}

class RegistryListenerTest : public DatabaseTest {
 protected:
  void start() {
    listener_ = std::make_unique<RegistryListener>(
        RegistryListener::Options{url(), {milliseconds(5), milliseconds(20)}},
        RegistryListener::Callbacks{[this](const RegistryChange& change) {
                                      heard_.change([&](auto& all) { all.push_back(change); });
                                    },
                                    [this] { resyncs_.change([](int& count) { ++count; }); }},
        log_.sink());
    ASSERT_TRUE(listener_->wait_until_listening(kPatience));
  }
  bool wait_for(const char* notice) {
    return heard_.wait(
        [&](const auto& all) { return !all.empty() && all.back() == parse_registry_change(notice); });
  }
  LogBook log_;
  Watched<std::vector<RegistryChange>> heard_;
  Watched<int> resyncs_;
  std::unique_ptr<RegistryListener> listener_;
};

TEST_F(RegistryListenerTest, HearsEveryChangeOfAUser) {
  start();
  add_ann();
  ASSERT_TRUE(wait_for("user:1"));
  for (const char* change : {"UPDATE phones SET token = 'new'", "UPDATE topic_entries SET subscribed = false",
                             "DELETE FROM topic_entries"}) {
    heard_.change([](auto& all) { all.clear(); });
    sql(change);
    EXPECT_TRUE(wait_for("user:1")) << change;
  }
  EXPECT_EQ(resyncs_.get(), 0);
}

TEST_F(RegistryListenerTest, HearsWhoMayNoLongerComeInAndWhatRulesGive) {
  add_ann();
  sql("INSERT INTO devices (id, secret_hash) VALUES ('CAM9', sha256('x'));"
      "INSERT INTO pairings (user_id, device_id) VALUES (1, 'CAM9');"
      "INSERT INTO api_keys (name, key_hash, scopes) VALUES ('shop', sha256('k'), '{publish}')");
  start();
  const std::pair<const char*, const char*> changes[] = {
      {"UPDATE users SET password_hash = '$argon2id$other'", "login:user:1"},
      {"UPDATE devices SET secret_hash = sha256('y') WHERE id = 'CAM9'", "login:device:CAM9"},
      {"UPDATE devices SET name = 'Porch' WHERE id = 'CAM9'", "user:1"},
      {"DELETE FROM devices WHERE id = 'CAM9'", "login:device:CAM9"},
      {"UPDATE api_keys SET filters = '{a}'", "login:service:1"},
      {"DELETE FROM api_keys", "login:service:1"},
      {"INSERT INTO acl_rules (subject, name, action, filter) VALUES ('user', 'ann', 'all', 'x')",
       "rules:user:ann"},
      {"UPDATE acl_rules SET subject = 'all', name = ''", "rules:all:"},
      {"DELETE FROM acl_rules", "rules:all:"},
      {"DELETE FROM users", "login:user:1"},
  };
  for (const auto& [change, notice] : changes) {
    heard_.change([](auto& all) { all.clear(); });
    sql(change);
    const auto is_heard = [notice = parse_registry_change(notice)](const auto& all) {
      return std::find(all.begin(), all.end(), notice) != all.end();
    };
    EXPECT_TRUE(heard_.wait(is_heard)) << change;
  }
  EXPECT_EQ(resyncs_.get(), 0);
}

TEST_F(RegistryListenerTest, ALostConnectionMeansResync) {
  start();
  end_other_connections();
  ASSERT_TRUE(resyncs_.wait([](int count) { return count == 1; }));
  add_ann();
  EXPECT_TRUE(wait_for("user:1"));
  EXPECT_EQ(log_.count("db.registry_listener_away"), 1);
  EXPECT_EQ(log_.count("db.registry_listener_back"), 1);
}

}  // namespace
}  // namespace wake::db
