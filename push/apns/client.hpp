// APNs over HTTP/2 for one app and environment. Apple, "Sending notification requests to APNs".
#pragma once

#include <memory>
#include <string>

#include "push/apns/provider_token.hpp"
#include "push/http2_client.hpp"
#include "push/provider.hpp"

namespace wake::push::apns {

class Client final : public Provider, private Http2ClientEvents {
 public:
  /// `mint` is null with a client certificate. Throws std::runtime_error, see ProviderFactory.
  Client(EventLoop& loop, const AppOptions& options, std::shared_ptr<ProviderTokenMint> mint,
         ProviderEvents& events);

  void want() override { http_.want(); }
  std::size_t room() const override { return http_.room(); }
  void send(Ticket ticket, const Notification& notification, const RenderOptions& options) override;
  std::size_t in_flight() const override { return http_.in_flight(); }

 private:
  void on_http2_answer(RequestTag tag, Http2Answer answer) override;
  void on_http2_room() override { events_.on_room(); }
  void on_http2_trouble(const std::string& why) override { events_.on_trouble(why); }
  void on_http2_connected() override { events_.on_recovered(); }
  void react(const Answer& answer, std::uint64_t connection_id);

  std::string topic_;
  std::shared_ptr<ProviderTokenMint> mint_;
  ProviderEvents& events_;
  PinnedToken pinned_;
  std::uint64_t primed_connection_ = 0;  // its compression table knows our header names
  Http2Client http_;
};

/// Where APNs lives, unless `options.endpoint` says otherwise. Throws std::runtime_error when that is no
/// https URL.
Http2ClientOptions make_http2_options(const AppOptions& options);

}  // namespace wake::push::apns
