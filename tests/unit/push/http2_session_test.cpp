// The machine against nghttp2's own server side, both ends in memory: no socket, time moved by hand.
#include "push/http2_session.hpp"

#include <map>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace wake::push {
namespace {

using namespace std::chrono_literals;
using Outcome = Http2Answer::Outcome;

// A peer that notes requests and answers when told to.
class Peer {
 public:
  explicit Peer(std::uint32_t max_streams) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    settings(max_streams);
  }
  ~Peer() { nghttp2_session_del(session_); }
  void settings(std::uint32_t max_streams) {
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams};
    nghttp2_submit_settings(session_, 0, &entry, 1);
  }
  void answer(std::int32_t stream, const std::string& status, const std::string& body = "") {
    bodies_[stream] = body;
    std::string name = ":status";
    nghttp2_nv fields[] = {nv(name, status), nv(id_name_, id_value_)};
    nghttp2_data_provider provider{};
    provider.source.ptr = &bodies_[stream];
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t,
                                std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      const auto& text = *static_cast<std::string*>(source->ptr);
      std::copy(text.begin(), text.end(), out);
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      return ssize_t(text.size());
    };
    nghttp2_submit_response(session_, stream, fields, 2, body.empty() ? nullptr : &provider);
  }
  void reset(std::int32_t stream, std::uint32_t code) {
    nghttp2_submit_rst_stream(session_, 0, stream, code);
  }
  void go_away(std::int32_t last) {
    const std::string reason = R"({"reason":"Shutdown"})";
    nghttp2_submit_goaway(session_, 0, last, NGHTTP2_NO_ERROR,
                          reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
  }

  std::vector<std::int32_t> requests;  // complete ones
  std::map<std::string, std::string> headers;
  std::string body;
  int pings = 0;
  nghttp2_session* session_ = nullptr;

 private:
  static nghttp2_nv nv(std::string_view name, std::string_view value) {
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), 0};
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& self = *static_cast<Peer*>(user);
    if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) ++self.pings;
    if (frame->hd.type == NGHTTP2_DATA && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
      self.requests.push_back(frame->hd.stream_id);
    }
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    static_cast<Peer*>(user)->headers[{reinterpret_cast<const char*>(name), name_size}] = {
        reinterpret_cast<const char*>(value), value_size};
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* data, std::size_t size,
                     void* user) {
    static_cast<Peer*>(user)->body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  const std::string id_name_ = "apns-id";
  const std::string id_value_ = "the-id";
  std::map<std::int32_t, std::string> bodies_;
};

class Http2 : public testing::Test {
 protected:
  explicit Http2(bool is_first_alone = false) : session_(options(is_first_alone), now_) {}
  static Http2SessionOptions options(bool is_first_alone) {
    Http2SessionOptions options;
    options.authority = "api.push.apple.com";
    options.max_in_flight = 5;
    options.is_first_alone = is_first_alone;
    options.ping_after = 60s;
    return options;
  }
  void exchange() {
    for (int round = 0; round < 10; ++round) {
      std::string out;
      session_.take_output(out, 1 << 20);
      nghttp2_session_mem_recv(peer_.session_, reinterpret_cast<const std::uint8_t*>(out.data()), out.size());
      const std::uint8_t* data = nullptr;
      ssize_t size = 0;
      bool is_quiet = out.empty();
      while ((size = nghttp2_session_mem_send(peer_.session_, &data)) > 0) {
        is_quiet = false;
        session_.on_bytes(broker::as_bytes({reinterpret_cast<const char*>(data), std::size_t(size)}), now_);
      }
      if (is_quiet) return;
    }
  }
  void submit(RequestTag tag) {
    const Http2Header headers[] = {{"apns-topic", "com.example.cam"}};
    session_.submit(tag, {"/3/device/aa", headers, "{\"body\":1}"}, now_);
  }
  void pass(broker::Duration time) {
    now_ += time;
    session_.on_time(now_);
  }
  std::vector<std::pair<RequestTag, Http2Answer>> answers() { return session_.take_answers(); }

  broker::SteadyTime now_{1000h};
  Peer peer_{3};
  Http2Session session_;
};
class Http2FirstAlone : public Http2 {
 protected:
  Http2FirstAlone() : Http2(true) {}
};

TEST_F(Http2, WaitsForSettingsAndObeysThem) {
  EXPECT_EQ(session_.room(), 0U);
  exchange();
  EXPECT_EQ(session_.room(), 3U);
  submit(1);
  EXPECT_EQ(session_.room(), 2U);
  peer_.settings(1);
  exchange();
  EXPECT_EQ(session_.room(), 0U);
  peer_.settings(1000);
  exchange();
  EXPECT_EQ(session_.room(), 4U) << "our own limit is 5";
}

TEST_F(Http2, AsksAndIsAnswered) {
  exchange();
  submit(42);
  exchange();
  ASSERT_EQ(peer_.requests.size(), 1U);
  EXPECT_EQ(peer_.headers.at(":path"), "/3/device/aa");
  EXPECT_EQ(peer_.headers.at(":authority"), "api.push.apple.com");
  EXPECT_EQ(peer_.headers.at("apns-topic"), "com.example.cam");
  EXPECT_EQ(peer_.body, "{\"body\":1}");
  peer_.answer(peer_.requests[0], "410", "gone");
  exchange();
  const auto all = answers();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].first, 42U);
  EXPECT_EQ(all[0].second.outcome, Outcome::Answered);
  EXPECT_EQ(all[0].second.status, 410);
  EXPECT_EQ(all[0].second.apns_id, "the-id");
  EXPECT_EQ(all[0].second.body, "gone");
}

TEST_F(Http2FirstAlone, OneStreamUntilATokenWasTaken) {
  exchange();
  EXPECT_EQ(session_.room(), 1U);
  submit(1);
  EXPECT_EQ(session_.room(), 0U);
  exchange();
  peer_.answer(peer_.requests.back(), "403");
  exchange();
  EXPECT_EQ(session_.room(), 1U) << "a refused token opens nothing";
  submit(2);
  exchange();
  peer_.answer(peer_.requests.back(), "400");
  exchange();
  EXPECT_EQ(session_.room(), 3U);
}

TEST_F(Http2, RefusedStreamWasNotSeenOtherResetsAreLost) {
  exchange();
  submit(1);
  submit(2);
  exchange();
  peer_.reset(peer_.requests[0], NGHTTP2_REFUSED_STREAM);
  peer_.reset(peer_.requests[1], NGHTTP2_INTERNAL_ERROR);
  exchange();
  const auto all = answers();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].second.outcome, Outcome::NotSeen);
  EXPECT_EQ(all[1].second.outcome, Outcome::Lost);
}

TEST_F(Http2, GoawayGivesBackWhatIsAboveAndWaitsForTheRest) {
  exchange();
  for (RequestTag tag = 1; tag <= 3; ++tag) submit(tag);
  exchange();
  peer_.go_away(peer_.requests[0]);
  exchange();
  EXPECT_TRUE(session_.is_draining());
  EXPECT_EQ(session_.room(), 0U);
  EXPECT_EQ(session_.in_flight(), 1U);
  auto all = answers();
  ASSERT_EQ(all.size(), 2U);
  for (const auto& [tag, answer] : all) {
    EXPECT_NE(tag, 1U);
    EXPECT_EQ(answer.outcome, Outcome::NotSeen);
  }
  EXPECT_FALSE(session_.is_over());
  peer_.answer(peer_.requests[0], "200");
  exchange();
  all = answers();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].second.status, 200);
  EXPECT_TRUE(session_.is_over());
  EXPECT_NE(session_.failure().find("Shutdown"), std::string::npos);
}

TEST_F(Http2, ARequestTimesOutButTheConnectionLives) {
  exchange();
  submit(1);
  exchange();
  now_ += 10s;
  submit(2);
  exchange();
  peer_.answer(peer_.requests[1], "200");
  exchange();
  EXPECT_EQ(answers().size(), 1U);
  pass(10s);
  const auto all = answers();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].first, 1U);
  EXPECT_EQ(all[0].second.outcome, Outcome::Lost);
  EXPECT_FALSE(session_.is_over());
  exchange();
  EXPECT_EQ(session_.room(), 3U);
}

TEST_F(Http2, SilenceForAWholeTimeoutEndsTheConnection) {
  exchange();
  submit(1);
  exchange();
  pass(20s);
  EXPECT_EQ(answers().size(), 1U);
  EXPECT_TRUE(session_.is_over());
  EXPECT_EQ(session_.room(), 0U);
}

TEST_F(Http2, PingsWhenIdleAndGivesUpWithoutAnAnswer) {
  exchange();
  EXPECT_EQ(session_.next_deadline(), now_ + 60s);
  pass(60s);
  exchange();
  EXPECT_EQ(peer_.pings, 1);
  EXPECT_FALSE(session_.is_over());
  pass(60s);  // this time nobody answers
  pass(10s);
  EXPECT_TRUE(session_.is_over());
}

TEST_F(Http2, ALostConnectionLeavesNothingUnanswered) {
  exchange();
  submit(1);
  submit(2);
  session_.fail_open("read: connection reset");
  const auto all = answers();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].second.outcome, Outcome::Lost);
  EXPECT_EQ(all[0].second.failure, "read: connection reset");
}

TEST_F(Http2, DrainingEndsWithTheLastAnswer) {
  exchange();
  submit(1);
  exchange();
  session_.drain();
  EXPECT_EQ(session_.room(), 0U);
  exchange();
  EXPECT_FALSE(session_.is_over());
  peer_.answer(peer_.requests[0], "200");
  exchange();
  EXPECT_EQ(answers().size(), 1U);
  EXPECT_TRUE(session_.is_over());
}

TEST_F(Http2, NonsenseFromThePeerEndsIt) {
  exchange();
  submit(1);
  session_.on_bytes(broker::as_bytes(std::string(200, 'x')), now_);
  std::string goodbye;
  session_.take_output(goodbye, 1 << 20);
  EXPECT_TRUE(session_.is_over());
}

}  // namespace
}  // namespace wake::push
