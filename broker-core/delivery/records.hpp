// What the registry knows of a user, as the delivery decision and the push side need it. Plain values,
// immutable once shared; made by db/registry_store, held by every shard that owns one of the user's phones.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker-core/types.hpp"

namespace wake::broker {

enum class Platform : std::uint8_t { Apns, Fcm };
enum class Environment : std::uint8_t { Production, Sandbox };
enum class TokenKind : std::uint8_t { Token, Fid };
/// The three rows of contract §2.2.
enum class PushMode : std::uint8_t { Fallback, Always, Never };
enum class PushStyle : std::uint8_t { Alert, Silent };

/// "22:00".."07:00" in an IANA time zone; a notification that falls into them is not sent.
struct QuietHours {
  int start_minute = 0;  // of the day, 0..1439
  int end_minute = 0;    // exclusive; before start_minute: over midnight
  std::string time_zone;
  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

/// An entry's push policy (contract §7, §10). Templates are rendered by push/render.
struct PushPolicy {
  PushMode mode = PushMode::Fallback;
  PushStyle style = PushStyle::Alert;
  std::string title;  // template; empty: the entry's title, else the device's name
  std::string body;   // template; empty: the payload when it is short text
  std::string sound;  // file name or "default"; empty: none
  bool is_high_priority = true;
  std::optional<std::int64_t> ttl_s;  // absent: until the message expires
  std::string collapse;               // template; empty: the message id
  std::optional<QuietHours> quiet_hours;
  std::int64_t min_interval_s = 0;
  bool is_android_notification = false;  // "android":"notification" adds the block with a tag
  friend bool operator==(const PushPolicy&, const PushPolicy&) = default;
};

/// A provider's address of one installation. Never logged whole: print phone ids instead.
struct DeviceToken {
  Platform platform = Platform::Apns;
  std::string app_id;
  Environment environment = Environment::Production;
  bool environment_proven = false;
  TokenKind kind = TokenKind::Token;
  std::string token;  // empty: none, or removed as dead
  UtcTime registered_at{};
  friend bool operator==(const DeviceToken&, const DeviceToken&) = default;
};

struct PhoneRecord {
  PhoneId id;
  std::string phone_id;  // the app's own word for it
  ClientId client_id;
  DeviceToken token;
  std::string locale;
};

/// One row of the topic cache.
struct EntryRecord {
  EntryId id;
  std::string filter;     // a valid topic filter
  std::string device_id;  // empty: none
  std::string device_name;
  std::string title;
  bool subscribed = true;
  bool is_granted = false;  // whoever made it vouched for it (a back end): it needs no pairing and no rule
  PushPolicy push;
  friend bool operator==(const EntryRecord&, const EntryRecord&) = default;
};

/// Everything of one user. A user without rows (deleted) is a record with empty lists.
struct UserRecord {
  UserId id;
  std::string username;
  std::vector<std::string> device_ids;  // paired; sorted
  std::vector<std::string> read_rules;  // filters of acl_rules that let the user read; may hold %u and %c
  std::vector<PhoneRecord> phones;
  std::vector<std::shared_ptr<const EntryRecord>> entries;
  SteadyTime read_at = SteadyTime::max();  // storage was asked then, or later; max: nothing newer is known
};
using UserRecordPtr = std::shared_ptr<const UserRecord>;

}  // namespace wake::broker
