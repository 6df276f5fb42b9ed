// apns_sim: Apple's push service for tests and demonstrations. README.md says how to run and script it.
#include <nlohmann/json.hpp>

#include "tests/sim/apns_service.hpp"
#include "tests/sim/program.hpp"

int main(int argc, char** argv) {
  using namespace wake::sim;
  CLI::App app("A stand-in for Apple's push service (HTTP/2, provider tokens really verified)", "apns_sim");
  ProgramOptions options;
  std::string environment = "production";
  std::vector<std::string> topics;
  add_options(app, options);
  app.add_option("--environment", environment, "which of Apple's two hosts to be")
      ->check(CLI::IsMember({"production", "sandbox"}))
      ->capture_default_str();
  app.add_option("--topic", topics, "bundle id this team may push to, repeatable; default: any");
  CLI11_PARSE(app, argc, argv);
  options.engine.storing = Storing::NewestPerApp;
  return run(options, [&](const Keys& keys, Parts& parts) {
    parts.settings.topics = topics;
    parts.service = std::make_unique<ApnsService>(keys, environment, parts.settings);
    parts.announce = [&keys, environment](const std::string&) {
      const ApnsKey& key = keys.apns.front();
      return nlohmann::json{{"environment", environment},
                            {"key_file", std::filesystem::absolute(key.file)},
                            {"key_id", key.key_id},
                            {"team_id", key.team_id}};
    };
  });
}
