// A RestServer on a port of its own, with a real PostgreSQL behind it and a Port that records what it was
// asked.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "db/account_store.hpp"
#include "db/migrate.hpp"
#include "gateway/auth/authenticator.hpp"
#include "gateway/auth/password.hpp"
#include "gateway/port.hpp"
#include "gateway/rest/server.hpp"
#include "tests/support/postgres.hpp"

namespace wake::gateway::rest {

using nlohmann::json;

class FakePort final : public Port {
 public:
  void refresh_user(broker::UserId user) override { note("refresh " + std::to_string(user.value)); }
  void end_logins(const broker::Principal& principal) override { note("end logins of " + principal.id); }
  broker::MessageId make_message_id() override { return {++last_id_ << 20 | kNode << 15}; }
  void revoke_login(broker::UserId, std::int64_t login) override {
    note("revoke log-in " + std::to_string(login));
  }
  PublishOutcome publish(broker::MessageRecord& message) override {
    note("publish " + message.topic + " " + message.payload);
    if (message.id.value == 0) message.id = broker::MessageId{77};
    if (while_publishing) while_publishing();
    last_published = message;
    return publish_outcome;
  }
  void set_presence(const broker::ClientId& client_id, Presence presence) override {
    note("presence " + client_id.value + (presence == Presence::Background ? " background" : " foreground"));
  }
  void acknowledged(broker::UserId user, const std::vector<broker::MessageId>& messages) override {
    for (const broker::MessageId id : messages)
      note("acked " + std::to_string(user.value) + " " + std::to_string(id.value));
  }
  void send_event(const broker::ClientId& client_id, std::string payload) override {
    note("event " + client_id.value + " " + json::parse(payload)["type"].get<std::string>());
  }
  void test_push(broker::UserId, broker::PhoneId, std::function<void(const TestVerdict&)> done) override {
    {
      const std::scoped_lock lock(mutex_);
      if (is_provider_silent) return tests_.push_back(std::move(done));
    }
    done({"accepted", 200, "", ""});
  }
  /// Answers the tests that wait, from this thread; how many there were.
  std::size_t answer_tests(const TestVerdict& verdict) {
    std::vector<std::function<void(const TestVerdict&)>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      waiting.swap(tests_);
    }
    for (const auto& done : waiting) done(verdict);
    return waiting.size();
  }
  std::vector<ClientView> clients() override { return connected; }
  bool kick(const broker::ClientId& client_id) override {
    note("kick " + client_id.value);
    for (const ClientView& client : connected) {
      if (client.client_id == client_id.value) return true;
    }
    return false;
  }
  Readiness readiness() override { return readiness_answer; }
  std::string metrics() override { return "wakemq_fake 1\n"; }

  bool was_asked(const std::string& what) const { return count(what) > 0; }
  int count(const std::string& what) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<int>(std::count(notes_.begin(), notes_.end(), what));
  }

  PublishOutcome publish_outcome = PublishOutcome::Settled;
  broker::MessageRecord last_published;
  std::vector<ClientView> connected;
  Readiness readiness_answer;
  bool is_provider_silent = false;              // set before the tests that it concerns
  std::function<void()> while_publishing = {};  // the same
  static constexpr std::int64_t kNode = 3;

 private:
  void note(std::string what) {
    const std::scoped_lock lock(mutex_);
    notes_.push_back(std::move(what));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::atomic<std::int64_t> last_id_{0};
  std::vector<std::function<void(const TestVerdict&)>> tests_;
};

/// One TCP connection that speaks raw HTTP; every read has a deadline.
class Wire {
 public:
  explicit Wire(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("connect");
  }
  ~Wire() { ::close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("send");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Up to and with `end`; throws when the peer closes or nothing comes in time.
  std::string read_until(const std::string& end) {
    while (buffer_.find(end) == std::string::npos) fill();
    return take(buffer_.find(end) + end.size());
  }
  std::string read_bytes(std::size_t count) {
    while (buffer_.size() < count) fill();
    return take(count);
  }
  bool is_closed_by_peer() {
    std::array<char, 1> byte{};
    return ::recv(fd_, byte.data(), 1, 0) == 0;
  }

 private:
  void fill() {
    std::array<char, 16384> bytes{};
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (got <= 0) throw std::runtime_error("the server closed or fell silent");
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  }
  std::string take(std::size_t count) {
    std::string front = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return front;
  }
  int fd_;
  std::string buffer_;
};

struct Answer {
  int status = 0;
  std::string head;  // status line and fields, lower case
  json body;         // null when there is none or it is not JSON
  std::string raw;

  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

inline Answer read_answer(Wire& wire, bool has_body = true) {
  Answer answer;
  answer.head = wire.read_until("\r\n\r\n");
  for (char& c : answer.head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  answer.status = std::stoi(answer.head.substr(9, 3));
  const std::string length = answer.header("content-length");
  if (has_body && !length.empty()) answer.raw = wire.read_bytes(std::stoul(length));
  answer.body = json::parse(answer.raw, nullptr, false);
  return answer;
}

inline std::string encode_base64(std::string_view text) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8) | (k < count ? static_cast<unsigned char>(text[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

/// The cause of a 500 belongs beside the test that saw it.
inline void print_failures(push::LogLevel, std::string_view event, std::string_view text) {
  if (event == "rest.failed") std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

class RestTest : public testing::Test {
 protected:
  RestTest() : RestTest(RestOptions{}) {}
  explicit RestTest(RestOptions options)
      : pool_({.url = migrated(database_), .pool = 4}), authenticator_(pool_, {}) {
    options.listeners.resize(1);
    options.listeners[0].protocol = config::Protocol::Http;
    options.listeners[0].address = "127.0.0.1:0";
    options.self_registration = true;
    server_ = std::make_unique<RestServer>(options, port_, authenticator_, pool_, print_failures);
    server_->start();
  }

  std::uint16_t http_port() const { return server_->ports().at(0); }
  std::string sql(const std::string& text) const { return database_.sql(text); }

  using Fields = std::vector<std::pair<std::string, std::string>>;
  Answer send(const std::string& method, const std::string& target, const std::string& authorization = {},
              const std::string& body = {}, const std::string& type = "application/json",
              const Fields& fields = {}) {
    Wire wire(http_port());
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : fields) request += name + ": " + value + "\r\n";
    if (!authorization.empty()) request += "Authorization: " + authorization + "\r\n";
    if (!body.empty())
      request += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    wire.send(request + "\r\n" + body);
    return read_answer(wire, method != "HEAD");
  }
  Answer send_with(const Fields& fields, const std::string& method, const std::string& target,
                   const std::string& authorization, const json& body = nullptr) {
    return send(method, target, authorization, body.is_null() ? std::string() : body.dump(),
                "application/json", fields);
  }
  Answer send(const std::string& method, const std::string& target, const std::string& authorization,
              const json& body) {
    return send(method, target, authorization, body.dump());
  }

  /// A user whose log-in needs no argon2; "Bearer …".
  std::string add_user(const std::string& name) {
    const auto user = db::add_user(pool_, name, "$argon2id$none");
    const Secret token = make_access_token();
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const std::string hash = sha256(token.reveal());
    db::add_login(pool_, user->id,
                  {hash, hash, hash, now + std::chrono::hours(1), now + std::chrono::hours(2)}, now);
    return "Bearer " + std::string(token.reveal());
  }
  /// "Basic …".
  std::string add_device(const std::string& id) {
    const Secret secret = make_device_secret();
    db::add_device(pool_, id, "", sha256(secret.reveal()));
    return "Basic " + encode_base64(id + ":" + std::string(secret.reveal()));
  }
  std::string add_key(std::vector<std::string> scopes, std::vector<std::string> filters = {}) {
    const Secret key = make_api_key();
    db::add_api_key(pool_, {0, "key", std::move(scopes), std::move(filters), {}}, sha256(key.reveal()));
    return "Bearer " + std::string(key.reveal());
  }
  void pair(const std::string& user, const std::string& device) {
    const Answer code = send("POST", "/v1/me/pairings", user);
    ASSERT_EQ(send("POST", "/v1/pairings/" + code.body["code"].get<std::string>() + "/claim", device,
                   json::object())
                  .status,
              200);
  }

  test::FreshDatabase database_;
  db::Pool pool_;
  FakePort port_;
  Authenticator authenticator_;
  std::unique_ptr<RestServer> server_;

 private:
  static std::string migrated(const test::FreshDatabase& database) {
    db::migrate(database.url());
    return database.url();
  }
};

}  // namespace wake::gateway::rest
