#include "push/render.hpp"

#include <algorithm>

#include <openssl/sha.h>

#include "push/template.hpp"
#include "push/text.hpp"

namespace wake::push {
namespace {

// What both providers are told, as text.
struct Content {
  std::string title;
  std::string body;
  std::string sound;
  std::string collapse_id;
  bool is_topic_left_out = false;
  bool is_payload_left_out = false;
  bool is_utf8 = true;
};

bool is_plain_text(std::string_view payload) {
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
  };
  return is_valid_utf8(payload) && std::none_of(payload.begin(), payload.end(), is_control);
}

bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string sha256_hex(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  append_hex(hex, {reinterpret_cast<const char*>(digest), sizeof digest});
  return hex;
}

std::string make_collapse_id(const Notification& notification, TemplateRenderer& renderer) {
  std::string own;
  if (notification.entry) own = renderer.render(notification.entry->push.collapse);
  if (own.empty()) return std::to_string(notification.key.message_id.value);
  if (own.size() <= kMaxCollapseIdBytes && is_header_text(own)) return own;
  return sha256_hex(own);
}

std::string make_title(const Notification& notification, TemplateRenderer& renderer) {
  std::string title;
  if (const broker::EntryRecord* entry = notification.entry.get()) {
    title = renderer.render(entry->push.title);
    if (title.empty()) title = entry->title.empty() ? entry->device_name : entry->title;
  }
  return fit_text(title.empty() ? notification.message->topic : title, kMaxTitleBytes);
}

std::string make_body(const Notification& notification, TemplateRenderer& renderer) {
  if (notification.entry && !notification.entry->push.body.empty()) {
    return fit_text(renderer.render(notification.entry->push.body), kMaxBodyBytes);
  }
  const std::string& payload = notification.message->payload;
  const bool is_short = payload.size() <= kMaxTextPayloadBytes;
  return is_short && is_plain_text(payload) ? fit_text(payload, kMaxBodyBytes) : std::string();
}

Content make_content(const Notification& notification, const RenderOptions& options) {
  TemplateRenderer renderer(*notification.message, notification.entry.get());
  Content content;
  content.collapse_id = make_collapse_id(notification, renderer);
  content.title = make_title(notification, renderer);
  content.body = make_body(notification, renderer);
  if (notification.entry) content.sound = fit_text(notification.entry->push.sound, kMaxSoundBytes);
  content.is_topic_left_out = json_size(notification.message->topic) > kMaxTopicBytes;
  const std::string& payload = notification.message->payload;
  content.is_payload_left_out = options.is_without_payload || payload.size() > kMaxPushBytes;
  if (!content.is_payload_left_out) content.is_utf8 = is_valid_utf8(payload);
  return content;
}

std::chrono::seconds time_left(const Notification& notification, broker::UtcTime now) {
  const bool is_now_or_never = notification.entry && notification.entry->push.ttl_s == 0;
  if (is_now_or_never) return std::chrono::seconds{0};
  if (notification.expires_at == broker::kNever) return kDefaultTtl;
  const auto left = std::chrono::floor<std::chrono::seconds>(notification.expires_at - now);
  return std::clamp(left, std::chrono::seconds{0}, kMaxTtl);
}

void append_payload(std::string& out, std::string_view payload, bool is_utf8) {
  if (is_utf8) {
    append_json_string(out, payload);
    return;
  }
  out += '"';
  append_base64(out, payload);
  out += '"';
}

void append_wake(std::string& out, const Notification& notification, const Content& content) {
  const broker::MessageRecord& message = *notification.message;
  out += "\"wake\":{\"id\":\"";
  append_number(out, notification.key.message_id.value);
  out += '"';
  if (!content.is_topic_left_out) {
    out += ",\"topic\":";
    append_json_string(out, message.topic);
  }
  if (!content.is_payload_left_out) {
    out += ",\"payload\":";
    append_payload(out, message.payload, content.is_utf8);
    out += content.is_utf8 ? ",\"enc\":\"utf8\"" : ",\"enc\":\"base64\"";
  }
  out += content.is_topic_left_out || content.is_payload_left_out ? ",\"truncated\":true"
                                                                  : ",\"truncated\":false";
  out += ",\"at\":\"";
  append_time(out, message.at);
  out += "\"}";
}

void append_alert(std::string& out, const Notification& notification, const Content& content) {
  out += "{\"alert\":{\"title\":";
  append_json_string(out, content.title);
  if (!content.body.empty()) {
    out += ",\"body\":";
    append_json_string(out, content.body);
  }
  out += '}';
  if (!content.sound.empty()) {
    out += ",\"sound\":";
    append_json_string(out, content.sound);
  }
  out += ",\"thread-id\":";
  append_json_string(out, content.is_topic_left_out ? sha256_hex(notification.message->topic)
                                                    : std::string_view(notification.message->topic));
  out += ",\"mutable-content\":1}";
}

std::string make_apns_body(const Notification& notification, const Content& content) {
  std::string body;
  body.reserve(512 + (content.is_payload_left_out ? 0 : notification.message->payload.size() * 4 / 3));
  body += "{\"aps\":";
  if (is_silent(notification)) {
    body += "{\"content-available\":1}";
  } else {
    append_alert(body, notification, content);
  }
  body += ',';
  append_wake(body, notification, content);
  body += '}';
  return body;
}

// Counts what Google counts: bytes of keys and values, without the JSON around them.
class FcmData {
 public:
  explicit FcmData(std::string& out) : out_(out) {}
  void add(std::string_view key, std::string_view value) {
    open(key);
    append_json_string(out_, value);
    counted_ += is_valid_utf8(value) ? value.size() : json_size(value);  // malformed bytes grow to U+FFFD
  }
  void add_base64(std::string_view key, std::string_view bytes) {
    open(key);
    append_payload(out_, bytes, false);
    counted_ += (bytes.size() + 2) / 3 * 4;
  }
  std::size_t counted() const { return counted_; }

 private:
  void open(std::string_view key) {
    if (counted_ > 0) out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
    counted_ += key.size();
  }
  std::string& out_;
  std::size_t counted_ = 0;
};

std::size_t append_data(std::string& out, const Notification& notification, const Content& content) {
  const broker::MessageRecord& message = *notification.message;
  FcmData data(out);
  std::string text;
  append_number(text, notification.key.message_id.value);
  data.add("wake_id", text);
  if (!content.is_topic_left_out) data.add("wake_topic", message.topic);
  if (!content.is_payload_left_out) {
    if (content.is_utf8) {
      data.add("wake_payload", message.payload);
    } else {
      data.add_base64("wake_payload", message.payload);
    }
    data.add("wake_enc", content.is_utf8 ? "utf8" : "base64");
  }
  data.add("wake_truncated", content.is_topic_left_out || content.is_payload_left_out ? "true" : "false");
  text.clear();
  append_time(text, message.at);
  data.add("wake_at", text);
  if (!is_silent(notification)) {
    data.add("wake_title", content.title);
    data.add("wake_body", content.body);
  }
  return data.counted();
}

std::size_t append_android_notification(std::string& out, const Content& content) {
  out += ",\"notification\":{";
  FcmData fields(out);
  fields.add("title", content.title);
  fields.add("body", content.body);
  fields.add("tag", content.collapse_id);
  if (!content.sound.empty()) fields.add("sound", content.sound);
  out += '}';
  return fields.counted();
}

// Also says how much of Google's limit it takes.
std::string make_fcm_body(const Notification& notification, const Content& content, std::chrono::seconds ttl,
                          std::size_t& counted) {
  const broker::EntryRecord* entry = notification.entry.get();
  const bool is_urgent = !is_silent(notification) && (!entry || entry->push.is_high_priority);
  std::string body;
  body.reserve(640 + (content.is_payload_left_out ? 0 : notification.message->payload.size() * 4 / 3));
  body += notification.token.kind == broker::TokenKind::Fid ? "{\"message\":{\"fid\":"
                                                            : "{\"message\":{\"token\":";
  append_json_string(body, notification.token.token);
  body += ",\"data\":{";
  counted = append_data(body, notification, content);
  body += is_urgent ? "},\"android\":{\"priority\":\"HIGH\",\"ttl\":\""
                    : "},\"android\":{\"priority\":\"NORMAL\",\"ttl\":\"";
  append_number(body, ttl.count());
  body += "s\"";
  if (entry && entry->push.is_android_notification && !is_silent(notification)) {
    counted += append_android_notification(body, content);
  }
  body += "}}}";
  return body;
}

}  // namespace

ApnsRequest render_apns(const Notification& notification, const RenderOptions& options) {
  Content content = make_content(notification, options);
  ApnsRequest request;
  request.path = "/3/device/";
  for (const char c :
       notification.token.token) {  // Apple's hexadecimal, lower case whatever the app registered
    request.path += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const bool is_alert = !is_silent(notification);
  const bool is_urgent = is_alert && (!notification.entry || notification.entry->push.is_high_priority);
  request.push_type = is_alert ? "alert" : "background";
  request.priority = is_urgent ? "10" : "5";
  const auto left = time_left(notification, options.now);
  const auto now_s = std::chrono::floor<std::chrono::seconds>(options.now).time_since_epoch();
  append_number(request.expiration, left.count() == 0 ? 0 : (now_s + left).count());
  request.id = notification_uuid(notification.key);
  request.body = make_apns_body(notification, content);
  if (request.body.size() > kMaxPushBytes) {
    content.is_payload_left_out = true;
    request.body = make_apns_body(notification, content);
  }
  request.collapse_id = std::move(content.collapse_id);
  return request;
}

std::string render_fcm(const Notification& notification, const RenderOptions& options) {
  Content content = make_content(notification, options);
  const auto ttl = time_left(notification, options.now);
  std::size_t counted = 0;
  std::string body = make_fcm_body(notification, content, ttl, counted);
  if (counted > kMaxPushBytes) {
    content.is_payload_left_out = true;
    body = make_fcm_body(notification, content, ttl, counted);
  }
  return body;
}

std::string notification_uuid(const NotificationKey& key) {
  // Our own name space, made once at random; changing it would let a repeat after an upgrade show twice.
  constexpr unsigned char kSpace[16] = {0x6b, 0x1f, 0x0c, 0x5e, 0x93, 0x27, 0x4d, 0x0a,
                                        0xb1, 0x5d, 0x2e, 0x84, 0x7a, 0xc9, 0x60, 0x3d};
  std::string name(reinterpret_cast<const char*>(kSpace), sizeof kSpace);
  append_number(name, key.message_id.value);
  name += '/';
  append_number(name, key.phone_id.value);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0F) | 0x50);  // version 5
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3F) | 0x80);  // variant 10
  std::string hex;
  append_hex(hex, {reinterpret_cast<const char*>(digest), 16});
  for (const std::size_t at : {20, 16, 12, 8}) hex.insert(at, 1, '-');
  return hex;
}

std::string collapse_id_of(const Notification& notification) {
  TemplateRenderer renderer(*notification.message, notification.entry.get());
  return make_collapse_id(notification, renderer);
}

bool is_silent(const Notification& notification) {
  return notification.entry && notification.entry->push.style == broker::PushStyle::Silent;
}

}  // namespace wake::push
