// A Notification as its provider wants it (contract §8, §10). Pure and total: bad UTF-8, a missing entry, a
// payload of any size render to something the provider takes. Thread: any, no shared state.
#pragma once

#include <string>
#include <string_view>

#include "push/notification.hpp"

namespace wake::push {

/// Apple: body, 4096 bytes. Google: keys and values, 4096 bytes.
inline constexpr std::size_t kMaxPushBytes = 4096;
/// What of it a rendered text may take, in bytes of JSON.
inline constexpr std::size_t kMaxTitleBytes = 256;
inline constexpr std::size_t kMaxBodyBytes = 1024;
inline constexpr std::size_t kMaxSoundBytes = 128;
/// A longer topic is left out (`truncated`), as the payload is.
inline constexpr std::size_t kMaxTopicBytes = 1024;
/// A payload up to this size that is plain text is the body when the policy has none.
inline constexpr std::size_t kMaxTextPayloadBytes = 256;
/// Apple, apns-collapse-id.
inline constexpr std::size_t kMaxCollapseIdBytes = 64;
/// Of a message that nothing bounds.
inline constexpr std::chrono::hours kDefaultTtl{24};
/// Google, android.ttl: 28 days; used for both.
inline constexpr std::chrono::seconds kMaxTtl{2'419'200};

struct RenderOptions {
  broker::UtcTime now{};
  bool is_without_payload = false;  // after PayloadTooLarge
};

/// `:path`, the headers that vary, and the body. The topic (bundle id) and the credential are the channel's.
struct ApnsRequest {
  std::string path;
  std::string_view push_type;  // alert | background
  std::string_view priority;   // 10 | 5
  std::string expiration;      // Unix seconds; "0": now or never
  std::string id;
  std::string collapse_id;
  std::string body;
};
ApnsRequest render_apns(const Notification& notification, const RenderOptions& options);

/// The body of projects.messages:send.
std::string render_fcm(const Notification& notification, const RenderOptions& options);

/// UUIDv5 (RFC 9562 §5.5) of message and phone: the same for every attempt, on every node, for ever.
std::string notification_uuid(const NotificationKey& key);

/// The entry's own, rendered: as it is when it is 1..64 printable ASCII characters, else its SHA-256 in
/// hexadecimal. Without one: the message id.
std::string collapse_id_of(const Notification& notification);

bool is_silent(const Notification& notification);

}  // namespace wake::push
