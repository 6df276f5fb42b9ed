// The server side of HTTP/2. nghttp2 does the protocol, the limits on streams included; here are its
// callbacks.
#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include <nghttp2/nghttp2.h>

#include "tests/sim/protocol.hpp"

namespace wake::sim {
namespace {

constexpr std::uint32_t kMaxHeaderList = 8000;  // as seen at Apple; bytes

struct Stream {
  Request request;
  bool waiting = false;  // request complete, answer due
  Reply reply;
  std::size_t sent = 0;  // of reply.body
};

class Http2 final : public Protocol {
 public:
  Http2(ConnectionId connection, std::uint32_t stream_limit, ProtocolEvents& events);
  ~Http2() override { nghttp2_session_del(session_); }
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  bool feed(std::string_view bytes) override;
  void drain(std::string& out) override;
  bool finished() const override;
  bool waits(std::int32_t stream) const override;
  void respond(std::int32_t stream, Reply) override;
  void reset(std::int32_t stream, std::uint32_t code) override;
  void go_away(std::int32_t last_stream, const std::string& debug) override;
  std::int32_t last_stream_keeping(std::size_t keep) const override;
  void set_stream_limit(std::uint32_t streams) override;

 private:
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void*);
  static int on_header(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t, const uint8_t*, size_t,
                       uint8_t, void*);
  static int on_data(nghttp2_session*, uint8_t, int32_t, const uint8_t*, size_t, void*);
  static int on_frame(nghttp2_session*, const nghttp2_frame*, void*);
  static int on_stream_close(nghttp2_session*, int32_t, uint32_t, void*);
  static ssize_t read_body(nghttp2_session*, int32_t, uint8_t*, size_t, uint32_t*, nghttp2_data_source*,
                           void*);
  static nghttp2_session_callbacks* callbacks();

  Stream* find(std::int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
  }

  ConnectionId connection_;
  ProtocolEvents& events_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Stream> streams_;  // open ones, in the order of their ids
  std::int32_t last_stream_ = INT32_MAX;    // as said in GOAWAY
};

Http2& self(void* user) { return *static_cast<Http2*>(user); }
std::string text(const uint8_t* bytes, size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

nghttp2_session_callbacks* Http2::callbacks() {
  static nghttp2_session_callbacks* const made = [] {
    nghttp2_session_callbacks* c = nullptr;
    if (nghttp2_session_callbacks_new(&c) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, &Http2::on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, &Http2::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, &Http2::on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, &Http2::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, &Http2::on_stream_close);
    return c;
  }();
  return made;
}

Http2::Http2(ConnectionId connection, std::uint32_t stream_limit, ProtocolEvents& events)
    : connection_(connection), events_(events) {
  if (nghttp2_session_server_new(&session_, callbacks(), this) != 0) throw std::bad_alloc();
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, stream_limit},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxHeaderList}}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

bool Http2::feed(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) >=
         0;
}

void Http2::drain(std::string& out) {
  const uint8_t* bytes = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &bytes)) > 0;) {
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

bool Http2::finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

bool Http2::waits(std::int32_t stream) const {
  const auto found = streams_.find(stream);
  return found != streams_.end() && found->second.waiting;
}

void Http2::respond(std::int32_t id, Reply reply) {
  Stream* stream = find(id);
  if (!stream || !stream->waiting) return;
  stream->waiting = false;
  stream->reply = std::move(reply);
  const std::string status = std::to_string(stream->reply.status);
  std::vector<nghttp2_nv> fields;
  const auto add = [&](std::string_view name, std::string_view value) {
    fields.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NONE});
  };
  add(":status", status);
  for (const auto& [name, value] : stream->reply.headers) add(name, value);
  nghttp2_data_provider body{{.ptr = stream}, &Http2::read_body};
  nghttp2_submit_response(session_, id, fields.data(), fields.size(),
                          stream->reply.body.empty() ? nullptr : &body);
}

ssize_t Http2::read_body(nghttp2_session*, int32_t, uint8_t* out, size_t room, uint32_t* flags,
                         nghttp2_data_source* source, void*) {
  auto& stream = *static_cast<Stream*>(source->ptr);
  const std::size_t size = stream.reply.body.copy(reinterpret_cast<char*>(out), room, stream.sent);
  stream.sent += size;
  if (stream.sent == stream.reply.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

void Http2::reset(std::int32_t stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
}

/// nghttp2 drops the streams above only when the frame is sent; for the caller they are gone from here on.
void Http2::go_away(std::int32_t last_stream, const std::string& debug) {
  last_stream_ = std::min(last_stream_, last_stream);
  for (auto above = streams_.upper_bound(last_stream); above != streams_.end(); ++above)
    above->second.waiting = false;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream, NGHTTP2_NO_ERROR,
                        reinterpret_cast<const uint8_t*>(debug.data()), debug.size());
}

std::int32_t Http2::last_stream_keeping(std::size_t keep) const {
  std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_);
  std::size_t waiting = 0;
  for (const auto& [id, stream] : streams_) {
    if (stream.waiting && waiting++ == keep) return id - 2 > 0 ? id - 2 : 0;
  }
  return last;
}

void Http2::set_stream_limit(std::uint32_t streams) {
  const nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &setting, 1);
}

int Http2::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Request& request = self(user).streams_[frame->hd.stream_id].request;
  request.connection = self(user).connection_;
  request.stream = frame->hd.stream_id;
  request.headers.reserve(12);
  return 0;
}

int Http2::on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                     const uint8_t* value, size_t value_size, uint8_t, void* user) {
  Stream* stream = self(user).find(frame->hd.stream_id);
  if (!stream) return 0;
  Request& request = stream->request;
  const std::string_view key(reinterpret_cast<const char*>(name), name_size);
  if (key == ":method") {
    request.method = text(value, value_size);
  } else if (key == ":path") {
    request.path = text(value, value_size);
  } else if (key.front() != ':') {
    request.headers.emplace_back(key, text(value, value_size));
  }
  return 0;
}

int Http2::on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* user) {
  Stream* stream = self(user).find(id);
  if (!stream) return 0;
  Request& request = stream->request;
  request.body_bytes += size;
  const std::size_t room = kBodyKept - request.body.size();
  request.body.append(reinterpret_cast<const char*>(bytes), std::min(size, room));
  return 0;
}

int Http2::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
  Stream* stream = self(user).find(frame->hd.stream_id);
  if (!stream || stream->request.stream > self(user).last_stream_) return 0;
  stream->waiting = true;
  self(user).events_.on_request(std::move(stream->request));
  return 0;
}

int Http2::on_stream_close(nghttp2_session*, int32_t id, uint32_t, void* user) {
  self(user).streams_.erase(id);
  return 0;
}

}  // namespace

std::unique_ptr<Protocol> make_http2(ConnectionId connection, std::uint32_t stream_limit,
                                     ProtocolEvents& events) {
  return std::make_unique<Http2>(connection, stream_limit, events);
}

}  // namespace wake::sim
