#include "push/fcm/client.hpp"

#include <stdexcept>

#include "push/fcm/verdict.hpp"
#include "push/retry_policy.hpp"

namespace wake::push::fcm {
namespace {

constexpr std::string_view kHost = "fcm.googleapis.com";
constexpr std::size_t kMaxInFlight = 100;  // the stream limit seen in the field
constexpr std::chrono::seconds kRequestTimeout{15};

// No PING: Google answers frequent ones with ENHANCE_YOUR_CALM, and closes idle connections by itself.
Http2ClientOptions make_http2_options(const AppOptions& options) {
  Http2ClientOptions http;
  http.endpoint = {std::string(kHost), "443"};
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
  http.max_in_flight = kMaxInFlight;
  http.request_timeout = kRequestTimeout;
  return http;
}

}  // namespace

Client::Client(EventLoop& loop, const AppOptions& options, ProviderEvents& events)
    : Client(loop, options, parse_service_account(read_secret_file(options.service_account_file)), events) {}

Client::Client(EventLoop& loop, const AppOptions& options, ServiceAccount account, ProviderEvents& events)
    : path_("/v1/projects/" + account.project_id + "/messages:send"),
      events_(events),
      http_(loop, make_http2_options(options), *this),
      tokens_(loop, std::move(account), ExchangeRequest{{}, {}, options.ca_file, options.proxy}, *this) {}

void Client::want() {
  http_.want();
  tokens_.want(EventLoop::now());
}

std::size_t Client::room() const {
  return tokens_.bearer(std::chrono::steady_clock::now()) ? http_.room() : 0;
}

void Client::send(Ticket ticket, const Notification& notification, const RenderOptions& options) {
  const broker::Now now = EventLoop::now();
  tokens_.want(now);
  const std::string* bearer = tokens_.bearer(now.steady);
  const Http2Header headers[] = {{"authorization", bearer ? std::string_view(*bearer) : "", true},
                                 {"content-type", "application/json"}};
  http_.submit(ticket, {path_, headers, render_fcm(notification, options)});
}

void Client::on_http2_answer(RequestTag tag, Http2Answer answer) {
  if (answer.outcome == Http2Answer::Outcome::NotSeen)
    return events_.on_answer(tag, answer_not_seen(answer.failure));
  if (answer.outcome == Http2Answer::Outcome::Lost)
    return events_.on_answer(tag, answer_lost(answer.failure));
  const broker::Now now = EventLoop::now();
  Answer understood =
      understand({answer.status, parse_retry_after(answer.retry_after, now.utc), answer.body});
  if (understood.verdict == Verdict::Accepted) understood.provider_id = message_name(answer.body);
  if (understood.verdict == Verdict::RefreshCredential) tokens_.refuse(now.steady);
  events_.on_answer(tag, std::move(understood));
}

void Client::on_token() {
  events_.on_recovered();
  events_.on_room();
}

void Client::on_token_trouble(const std::string& why, bool is_final) {
  is_final ? events_.on_refused(why) : events_.on_trouble(why);
  events_.on_room();
}

// {"name":"projects/…/messages/…"}: read without a parser, it comes with every push; Google escapes nothing
// in it.
std::string_view message_name(std::string_view body) {
  const auto key = body.find("\"name\"");
  if (key == std::string_view::npos) return {};
  const auto open = body.find('"', key + 6);
  if (open == std::string_view::npos) return {};
  const auto close = body.find('"', open + 1);
  return close == std::string_view::npos ? std::string_view() : body.substr(open + 1, close - open - 1);
}

}  // namespace wake::push::fcm
