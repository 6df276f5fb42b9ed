// What the tests of db/ share: a migrated database per test, waiting for events with a deadline, and rows to
// begin with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "broker-core/persist.hpp"
#include "db/migrate.hpp"
#include "push/log.hpp"
#include "tests/support/postgres.hpp"

namespace wake::db {

inline constexpr std::chrono::seconds kPatience{20};

/// A value that other threads change and the test waits for.
template <class Value>
class Watched {
 public:
  template <class Change>
  void change(Change&& change) {
    {
      const std::scoped_lock lock(mutex_);
      change(value_);
    }
    changed_.notify_all();
  }
  /// False: the deadline passed.
  template <class Condition>
  bool wait(Condition&& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return condition(value_); });
  }
  Value get() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Value value_{};
};

/// Collects log events by name.
class LogBook {
 public:
  push::LogSink sink() {
    return [this](push::LogLevel, std::string_view event, std::string_view text) {
      lines_.change([&](auto& lines) { lines.push_back(std::string(event) + ": " + std::string(text)); });
    };
  }
  int count(const std::string& event) const {
    int found = 0;
    for (const auto& line : lines_.get()) found += line.starts_with(event + ":") ? 1 : 0;
    return found;
  }
  bool wait_for(const std::string& event) {
    return lines_.wait([&](const auto& lines) {
      for (const auto& line : lines) {
        if (line.starts_with(event + ":")) return true;
      }
      return false;
    });
  }

 private:
  Watched<std::vector<std::string>> lines_;
};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() { migrate(database_.url()); }

  std::string url() const { return database_.url(); }
  std::string sql(const std::string& text) const { return database_.sql(text); }
  long number(const std::string& query) const { return std::stol(sql(query)); }

  /// A user "ann" with phone "p1" (client id "c1", FCM token "tok") and a subscribed entry on "a/b"; their
  /// ids are all 1.
  void add_ann() const {
    sql("INSERT INTO users (username, password_hash) VALUES ('ann', '$argon2id$x');"
        "INSERT INTO phones (user_id, phone_id, client_id, platform, app_id, token, registered_at)"
        "  VALUES (1, 'p1', 'c1', 'fcm', 'app', 'tok', '2026-01-01T00:00:00Z');"
        "INSERT INTO topic_entries (user_id, filter, title) VALUES (1, 'a/b', 'Door')");
  }
  void end_other_connections() const {
    // Waits until they have ended.
    sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }

 private:
  test::FreshDatabase database_;
};

inline broker::UtcTime utc_now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

inline broker::MessageRecord make_message(std::int64_t id, std::string payload = "hello") {
  broker::MessageRecord message;
  message.id = broker::MessageId{id};
  message.topic = "a/b";
  message.payload = std::move(payload);
  message.qos = broker::Qos::AtLeastOnce;
  message.publisher = broker::ClientId{"cam"};
  message.at = utc_now();
  message.expires_at = message.at + std::chrono::hours(24);
  return message;
}

inline broker::SessionChange stored_session(const std::string& client_id, std::uint32_t expiry_s = 3600) {
  broker::SessionChange change;
  change.store = true;
  change.row.client_id = broker::ClientId{client_id};
  change.row.principal = {broker::Principal::Kind::User, "1", "ann"};
  change.row.expiry_s = expiry_s;
  return change;
}

}  // namespace wake::db
