#include "gateway/rest/http_hub.hpp"

namespace wake::gateway::rest {
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

}  // namespace wake::gateway::rest
