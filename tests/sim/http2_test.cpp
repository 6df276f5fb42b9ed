// The HTTP/2 server side against a real nghttp2 client session, bytes handed over in memory.
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "tests/sim/protocol.hpp"

namespace wake::sim {
namespace {

struct Ended {
  int status = 0;
  std::uint32_t code = 0;
};

class Client {
 public:
  Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Client::on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Client::on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Client::on_frame);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::int32_t send(std::string_view path) {
    const auto field = [](std::string_view name, std::string_view value) {
      return nghttp2_nv{reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                        value.size(), 0};
    };
    const nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "https"),
                                 field(":authority", "sim"), field(":path", path),
                                 field("apns-topic", "com.example.cam")};
    return nghttp2_submit_request(session_, nullptr, fields, 5, nullptr, nullptr);
  }

  /// Carries bytes both ways until neither side has any.
  void exchange_with(Protocol& server) {
    for (bool moved = true; moved;) {
      moved = false;
      const uint8_t* bytes = nullptr;
      for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &bytes)) > 0; moved = true) {
        ASSERT_TRUE(server.feed({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)}));
      }
      std::string out;
      server.drain(out);
      moved = moved || !out.empty();
      ASSERT_GE(nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(out.data()), out.size()),
                0);
    }
  }

  std::uint32_t stream_limit() const {
    return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  }

  std::map<std::int32_t, Ended> ended;
  std::int32_t goaway_last = -1;
  std::string goaway_debug;

 private:
  static Client& self(void* user) { return *static_cast<Client*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void* user) {
    if (std::string_view(reinterpret_cast<const char*>(name), name_size) == ":status") {
      self(user).ended[frame->hd.stream_id].status =
          std::stoi(std::string(reinterpret_cast<const char*>(value), value_size));
    }
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t stream, uint32_t code, void* user) {
    self(user).ended[stream].code = code;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
    self(user).goaway_last = frame->goaway.last_stream_id;
    self(user).goaway_debug.assign(reinterpret_cast<const char*>(frame->goaway.opaque_data),
                                   frame->goaway.opaque_data_len);
    return 0;
  }
  nghttp2_session* session_ = nullptr;
};

struct Http2Test : testing::Test, ProtocolEvents {
  void on_request(Request request) override { requests.push_back(std::move(request)); }
  std::vector<Request> requests;
  std::unique_ptr<Protocol> server = make_http2(7, 1000, *this);
  Client client;
};

TEST_F(Http2Test, HandsUpAWholeRequestAndSendsItsReply) {
  const auto stream = client.send("/3/device/ab");
  client.exchange_with(*server);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].connection, 7u);
  EXPECT_EQ(requests[0].stream, stream);
  EXPECT_EQ(requests[0].path, "/3/device/ab");
  EXPECT_EQ(requests[0].header("apns-topic"), "com.example.cam");
  EXPECT_TRUE(server->waits(stream));
  server->respond(stream, {410, {{"apns-id", "x"}}, "{}"});
  client.exchange_with(*server);
  EXPECT_EQ(client.ended[stream].status, 410);
  EXPECT_FALSE(server->waits(stream));
}

TEST_F(Http2Test, RefusesStreamsAboveTheLimit) {
  server = make_http2(7, 1, *this);
  const auto first = client.send("/a"), second = client.send("/b");
  client.exchange_with(*server);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(client.ended[second].code, static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  server->set_stream_limit(5);
  server->respond(first, {});
  client.exchange_with(*server);
  EXPECT_EQ(client.stream_limit(), 5u);
}

TEST_F(Http2Test, GoawayAnswersTheOldestAndNeverSeesTheRest) {
  const auto first = client.send("/a"), second = client.send("/b"), third = client.send("/c");
  client.exchange_with(*server);
  server->go_away(server->last_stream_keeping(1), R"({"reason":"Shutdown"})");
  EXPECT_FALSE(server->waits(second)) << "before the frame is on its way";
  const auto late = client.send("/d");
  client.exchange_with(*server);
  EXPECT_FALSE(server->waits(late));
  EXPECT_EQ(requests.size(), 3u);
  EXPECT_EQ(client.goaway_last, first);
  EXPECT_EQ(client.goaway_debug, R"({"reason":"Shutdown"})");
  EXPECT_TRUE(server->waits(first));
  EXPECT_FALSE(server->waits(second));
  EXPECT_FALSE(server->waits(third));
  EXPECT_FALSE(server->finished());
  server->respond(first, {});
  client.exchange_with(*server);
  EXPECT_EQ(client.ended[first].status, 200);
  EXPECT_TRUE(server->finished());
}

TEST_F(Http2Test, ResetsOneStreamOnly) {
  const auto first = client.send("/a"), second = client.send("/b");
  client.exchange_with(*server);
  server->reset(first, NGHTTP2_INTERNAL_ERROR);
  client.exchange_with(*server);
  EXPECT_EQ(client.ended[first].code, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
  EXPECT_TRUE(server->waits(second));
}

TEST_F(Http2Test, RefusesWhatIsNotHttp2) {
  EXPECT_FALSE(server->feed("GET / HTTP/1.1\r\nHost: sim\r\n\r\n"));
}

}  // namespace
}  // namespace wake::sim
