#include "push/http2_session.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <stdexcept>

#include <nghttp2/nghttp2.h>

namespace wake::push {
namespace {

using Outcome = Http2Answer::Outcome;

// Replace a connection long before its stream ids (31 bits) run out.
constexpr std::int32_t kLastStreamId = 1 << 30;
constexpr std::size_t kMaxHeaders = 16;

nghttp2_nv make_nv(std::string_view name, std::string_view value, bool is_not_indexed) {
  // nghttp2 takes mutable pointers and does not write through them.
  auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  const int flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | (is_not_indexed ? NGHTTP2_NV_FLAG_NO_INDEX : 0);
  return {name_bytes, value_bytes, name.size(), value.size(), static_cast<std::uint8_t>(flags)};
}

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// nghttp2 calls these during on_bytes and take_output; they only note things down.
struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

  static Stream* find(Http2Session& session, std::int32_t stream_id) {
    const auto it = session.streams_.find(stream_id);
    return it == session.streams_.end() ? nullptr : it->second.get();
  }

  // Asked by id, not by pointer: a request that timed out is gone while its RST_STREAM still waits to be
  // sent.
  static ssize_t read_body(nghttp2_session*, std::int32_t stream_id, std::uint8_t* out, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Stream* stream = find(self(user), stream_id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t count = stream->body.copy(reinterpret_cast<char*>(out), size, stream->sent);
    stream->sent += count;
    if (stream->sent == stream->body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    Stream* stream = find(self(user), frame->hd.stream_id);
    if (!stream) return 0;
    const std::string_view key = text_of(name, name_size);
    const std::string_view text = text_of(value, value_size);
    if (key == ":status") {
      std::from_chars(text.data(), text.data() + text.size(), stream->answer.status);
    } else if (key == "apns-id") {
      stream->answer.apns_id = text.substr(0, 128);
    } else if (key == "retry-after") {
      stream->answer.retry_after = text.substr(0, 128);
    }
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream_id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    if (Stream* stream = find(self(user), stream_id)) {
      std::string& body = stream->answer.body;
      body += text_of(data, std::min(size, kMaxAnswerBytes - body.size()));
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Session& session = self(user);
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
      session.has_settings_ = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      session.is_draining_ = true;
      session.failure_ = "GOAWAY " + std::to_string(frame->goaway.error_code) + ' ';
      session.failure_ +=
          text_of(frame->goaway.opaque_data, std::min<std::size_t>(frame->goaway.opaque_data_len, 200));
    }
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t stream_id, std::uint32_t error, void* user) {
    Http2Session& session = self(user);
    Stream* stream = find(session, stream_id);
    if (!stream) return 0;
    // A full answer counts even if the peer then resets the rest of our body.
    if (stream->answer.status >= 200 && (error == NGHTTP2_NO_ERROR || error == NGHTTP2_CANCEL)) {
      session.finish(stream_id, Outcome::Answered, "");
    } else if (error == NGHTTP2_REFUSED_STREAM) {  // also nghttp2's word for "above GOAWAY's last-stream-id"
      session.finish(stream_id, Outcome::NotSeen, "refused stream");
    } else {
      session.finish(stream_id, Outcome::Lost, nghttp2_http2_strerror(error));
    }
    return 0;
  }

  static int on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      self(user).finish(frame->hd.stream_id, Outcome::NotSeen, nghttp2_strerror(error));
    }
    return 0;
  }
};

Http2Session::Http2Session(Http2SessionOptions options, broker::SteadyTime now)
    : options_(std::move(options)), last_read_(now) {
  nghttp2_session_callbacks* callbacks = nullptr;
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::on_not_sent);
  const int error = nghttp2_session_client_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  if (error != 0) throw std::bad_alloc();
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

std::size_t Http2Session::room() const {
  if (!has_settings_ || is_draining_ || is_broken_) return 0;
  const std::size_t peer =
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  std::size_t limit = std::min(peer, options_.max_in_flight);
  if (options_.is_first_alone && !is_wide_) limit = std::min<std::size_t>(limit, 1);
  return limit > streams_.size() ? limit - streams_.size() : 0;
}

void Http2Session::submit(RequestTag tag, const Http2Request& request, broker::SteadyTime now) {
  assert(request.headers.size() + 4 <= kMaxHeaders);
  std::array<nghttp2_nv, kMaxHeaders> fields;
  std::size_t count = 0;
  fields[count++] = make_nv(":method", "POST", false);
  fields[count++] = make_nv(":scheme", "https", false);
  fields[count++] = make_nv(":authority", options_.authority, false);
  fields[count++] = make_nv(":path", request.path, true);
  for (const Http2Header& header : request.headers) {
    fields[count++] = make_nv(header.name, header.value, header.is_not_indexed);
  }
  auto stream = std::make_unique<Stream>();
  stream->tag = tag;
  stream->body = request.body;
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::read_body;
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), count, &provider, nullptr);
  if (id < 0) {
    Http2Answer answer;
    answer.outcome = Outcome::NotSeen;
    answer.failure = nghttp2_strerror(id);
    answers_.emplace_back(tag, std::move(answer));
    is_draining_ = true;
    return;
  }
  streams_.emplace(id, std::move(stream));
  timeouts_.emplace_back(now + options_.request_timeout, id);
  if (id >= kLastStreamId) is_draining_ = true;
}

void Http2Session::on_bytes(broker::Bytes bytes, broker::SteadyTime now) {
  last_read_ = now;
  ping_deadline_.reset();
  const auto read =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (read < 0) break_off(nghttp2_strerror(static_cast<int>(read)));
  close_if_drained();
}

void Http2Session::on_time(broker::SteadyTime now) {
  time_out_requests(now);
  check_ping(now);
  close_if_drained();
}

void Http2Session::time_out_requests(broker::SteadyTime now) {
  while (!timeouts_.empty() && timeouts_.front().first <= now) {
    const std::int32_t id = timeouts_.front().second;
    timeouts_.pop_front();
    if (!streams_.contains(id)) continue;
    finish(id, Outcome::Lost, "no answer in time");
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    // Not one byte since this request left: the connection died without a word.
    if (now - last_read_ >= options_.request_timeout) break_off("silent for a whole request timeout");
  }
}

void Http2Session::check_ping(broker::SteadyTime now) {
  if (options_.ping_after <= broker::Duration::zero() || is_broken_) return;
  if (ping_deadline_ && now >= *ping_deadline_) {
    break_off("PING not answered");
  } else if (!ping_deadline_ && now - last_read_ >= options_.ping_after) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    ping_deadline_ = now + options_.ping_timeout;
  }
}

std::optional<broker::SteadyTime> Http2Session::next_deadline() const {
  std::optional<broker::SteadyTime> next;
  if (!timeouts_.empty()) next = timeouts_.front().first;
  if (options_.ping_after <= broker::Duration::zero()) return next;
  const auto ping = ping_deadline_.value_or(last_read_ + options_.ping_after);
  return next ? std::min(*next, ping) : ping;
}

void Http2Session::take_output(std::string& out, std::size_t wanted) {
  while (out.size() < wanted) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) break_off(nghttp2_strerror(static_cast<int>(size)));
    if (size <= 0) return;
    out += text_of(data, static_cast<std::size_t>(size));
  }
}

void Http2Session::drain() {
  is_draining_ = true;
  close_if_drained();
}

void Http2Session::close_if_drained() {
  if (!is_draining_ || !streams_.empty() || is_goaway_sent_) return;
  is_goaway_sent_ = true;
  nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

void Http2Session::fail_open(const std::string& why) {
  if (!is_broken_) break_off(why);
  while (!streams_.empty()) finish(streams_.begin()->first, Outcome::Lost, why.c_str());
}

bool Http2Session::is_over() const {
  return is_broken_ ||
         (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

void Http2Session::finish(std::int32_t stream_id, Outcome outcome, const char* failure) {
  const auto it = streams_.find(stream_id);
  if (it == streams_.end()) return;
  Http2Answer& answer = it->second->answer;
  answer.outcome = outcome;
  answer.failure = failure;
  if (outcome == Outcome::Answered) {
    has_answered_ = true;
    if (answer.status != 401 && answer.status != 403) is_wide_ = true;
  }
  answers_.emplace_back(it->second->tag, std::move(answer));
  streams_.erase(it);
  while (!timeouts_.empty() && !streams_.contains(timeouts_.front().second)) timeouts_.pop_front();
}

void Http2Session::break_off(std::string why) {
  is_broken_ = true;
  failure_ = std::move(why);
}

}  // namespace wake::push
