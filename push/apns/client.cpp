#include "push/apns/client.hpp"

#include <stdexcept>
#include <utility>

#include "push/apns/verdict.hpp"
#include "push/retry_policy.hpp"

namespace wake::push::apns {
namespace {

constexpr std::string_view kProductionHost = "api.push.apple.com";
constexpr std::string_view kSandboxHost = "api.sandbox.push.apple.com";
// Field ceiling is 500 to 1000 pushes/s and connection; more in flight only grows the round trip.
constexpr std::size_t kMaxInFlight = 500;
constexpr std::chrono::seconds kRequestTimeout{20};
constexpr std::chrono::seconds kPingAfter{60};

}  // namespace

Http2ClientOptions make_http2_options(const AppOptions& options) {
  Http2ClientOptions http;
  const bool is_production = options.environment == broker::Environment::Production;
  http.endpoint = {std::string(is_production ? kProductionHost : kSandboxHost), "443"};
  if (!options.endpoint.empty()) {
    const auto endpoint = parse_endpoint(options.endpoint, "https", "443");
    if (!endpoint)
      throw std::runtime_error("endpoint = \"" + options.endpoint + "\": expected https://host:port");
    http.endpoint = *endpoint;
  }
  if (!options.proxy.empty()) {
    http.proxy = parse_endpoint(options.proxy, "http", "8080");
    if (!http.proxy) throw std::runtime_error("proxy = \"" + options.proxy + "\": expected http://host:port");
  }
  http.ca_file = options.ca_file;
  http.cert_file = options.cert_file;
  http.cert_key_file = options.cert_file.empty() ? std::string() : options.key_file;
  http.max_in_flight = kMaxInFlight;
  http.is_first_alone = options.cert_file.empty();
  http.request_timeout = kRequestTimeout;
  http.ping_after = kPingAfter;
  return http;
}

Client::Client(EventLoop& loop, const AppOptions& options, std::shared_ptr<ProviderTokenMint> mint,
               ProviderEvents& events)
    : topic_(options.topic.empty() ? options.id : options.topic),
      mint_(std::move(mint)),
      events_(events),
      http_(loop, make_http2_options(options), *this) {}

void Client::send(Ticket ticket, const Notification& notification, const RenderOptions& options) {
  ApnsRequest request = render_apns(notification, options);
  const std::uint64_t connection = http_.connection_id();
  // Page A of the fact sheet's HPACK rule: the names enter the table once, the values that never return do
  // not.
  const bool is_primed = std::exchange(primed_connection_, connection) == connection;
  Http2Header headers[8];
  std::size_t count = 0;
  if (mint_) headers[count++] = {"authorization", pinned_.use(connection, *mint_, options.now).bearer, true};
  headers[count++] = {"apns-topic", topic_};
  headers[count++] = {"apns-push-type", request.push_type};
  headers[count++] = {"apns-priority", request.priority};
  headers[count++] = {"apns-expiration", request.expiration, is_primed};
  headers[count++] = {"apns-id", request.id, is_primed};
  headers[count++] = {"apns-collapse-id", request.collapse_id, is_primed};
  http_.submit(ticket, {request.path, std::span(headers, count), std::move(request.body)});
}

void Client::on_http2_answer(RequestTag tag, Http2Answer answer) {
  if (answer.outcome == Http2Answer::Outcome::NotSeen)
    return events_.on_answer(tag, answer_not_seen(answer.failure));
  if (answer.outcome == Http2Answer::Outcome::Lost)
    return events_.on_answer(tag, answer_lost(answer.failure));
  const auto retry_after = parse_retry_after(answer.retry_after, EventLoop::now().utc);
  Answer understood = understand({answer.status, answer.apns_id, retry_after, answer.body});
  react(understood, answer.connection_id);
  events_.on_answer(tag, std::move(understood));
}

void Client::react(const Answer& answer, std::uint64_t connection_id) {
  if (!mint_ && answer.verdict == Verdict::RefreshCredential) return;
  const broker::UtcTime now = EventLoop::now().utc;
  if (answer.verdict == Verdict::RefreshCredential) mint_->refuse(pinned_.generation_of(connection_id), now);
  if (answer.reaction == Reaction::PauseMinting && mint_) mint_->pause(now);
  if (answer.reaction == Reaction::RetireConnection) http_.retire(connection_id);
}

}  // namespace wake::push::apns
