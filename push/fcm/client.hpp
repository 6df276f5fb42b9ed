// FCM HTTP v1 over HTTP/2 for one app. Firebase, "REST: projects.messages:send".
#pragma once

#include <string>

#include "push/fcm/access_token.hpp"
#include "push/http2_client.hpp"
#include "push/provider.hpp"

namespace wake::push::fcm {

class Client final : public Provider, private Http2ClientEvents, private AccessTokenEvents {
 public:
  /// Throws std::runtime_error, see ProviderFactory.
  Client(EventLoop& loop, const AppOptions& options, ProviderEvents& events);

  void want() override;
  std::size_t room() const override;
  void send(Ticket ticket, const Notification& notification, const RenderOptions& options) override;
  std::size_t in_flight() const override { return http_.in_flight(); }

 private:
  Client(EventLoop& loop, const AppOptions& options, ServiceAccount account, ProviderEvents& events);
  void on_http2_answer(RequestTag tag, Http2Answer answer) override;
  void on_http2_room() override { events_.on_room(); }
  void on_http2_trouble(const std::string& why) override { events_.on_trouble(why); }
  void on_http2_connected() override { events_.on_recovered(); }
  void on_token() override;
  void on_token_trouble(const std::string& why, bool is_final) override;

  std::string path_;
  ProviderEvents& events_;
  Http2Client http_;
  AccessTokenSource tokens_;
};

/// `name` of the answer to an accepted message; empty when there is none.
std::string_view message_name(std::string_view body);

}  // namespace wake::push::fcm
