#include "config/bridge_options.hpp"

namespace wake::config {

std::vector<broker::BridgeTopic> topics_of(const BridgeOptions& bridge) {
  std::vector<broker::BridgeTopic> topics;
  for (const std::string& line : bridge.topics) {
    auto parsed = broker::parse_bridge_topic(line);
    if (auto* topic = std::get_if<broker::BridgeTopic>(&parsed)) topics.push_back(std::move(*topic));
  }
  return topics;
}

}  // namespace wake::config
