#include "gateway/rest/http_hub.hpp"

#include "gateway/rest/routes.hpp"

namespace wake::gateway::rest {
namespace {

/// What is not ready says so itself in the log; that somebody asked again is no news.
push::LogLevel level_of(int status, const Request& request) {
  if (status == 503 && request.target.starts_with("/readyz")) return push::LogLevel::Debug;
  if (status >= 500) return push::LogLevel::Warn;
  return status >= 400 ? push::LogLevel::Info : push::LogLevel::Debug;
}

}  // namespace

std::string HttpCounters::to_prometheus() const {
  std::string text =
      "# HELP wakemq_http_requests_total Answers of the REST server by class of status.\n"
      "# TYPE wakemq_http_requests_total counter\n";
  for (int digit = 2; digit <= 5; ++digit) {
    text += "wakemq_http_requests_total{status=\"" + std::to_string(digit) + "xx\"} " +
            std::to_string(answers[digit].load()) + "\n";
  }
  text +=
      "# HELP wakemq_http_malformed_total Requests that were no HTTP/1.1 or too large.\n"
      "# TYPE wakemq_http_malformed_total counter\nwakemq_http_malformed_total " +
      std::to_string(malformed.load()) + "\n";
  text +=
      "# HELP wakemq_http_turned_away_total Connections over the limit.\n"
      "# TYPE wakemq_http_turned_away_total counter\nwakemq_http_turned_away_total " +
      std::to_string(turned_away.load()) + "\n";
  text +=
      "# HELP wakemq_http_connections Open connections of the REST server.\n"
      "# TYPE wakemq_http_connections gauge\nwakemq_http_connections " +
      std::to_string(connections.load()) + "\n";
  return text;
}

Response HttpHub::answer(const Request& request, const std::string& request_id) {
  Response response = rest::answer(context, request, request_id);
  ++counters.answers[static_cast<std::size_t>(response.status / 100) % 6];
  // The path only: a query may hold what is nobody's business, and pairing codes are single use.
  context.log(level_of(response.status, request), "rest.answered",
              request_id + " " + request.method + " " +
                  request.target.substr(0, request.target.find('?')).substr(0, 200) + " from " +
                  request.address + ": " + std::to_string(response.status));
  return response;
}

}  // namespace wake::gateway::rest
