// fcm_sim: Google's FCM HTTP v1 and its OAuth token endpoint for tests and demonstrations. README.md says how
// to run and script it.
#include <nlohmann/json.hpp>

#include "tests/sim/fcm_service.hpp"
#include "tests/sim/program.hpp"

int main(int argc, char** argv) {
  using namespace wake::sim;
  CLI::App app(
      "A stand-in for Firebase Cloud Messaging v1 and Google's token endpoint (both really verified)",
      "fcm_sim");
  ProgramOptions options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  options.engine.storing = Storing::Fcm;
  options.engine.listen.http1 = true;
  return run(options, [](const Keys& keys, Parts& parts) {
    parts.settings.max_concurrent_streams = 100;  // as seen at Google
    parts.settings.idle_close_ms = 180'000;
    auto service = std::make_unique<FcmService>(keys.account, parts.settings);
    parts.announce = [&keys, fcm = service.get()](const std::string& endpoint) {
      const std::string token_uri = endpoint + "/token";
      fcm->set_token_uri(token_uri);
      write_service_account(keys.account, token_uri);
      return nlohmann::json{{"service_account_file", std::filesystem::absolute(keys.account.file)},
                            {"project_id", keys.account.project_id},
                            {"token_uri", token_uri}};
    };
    parts.service = std::move(service);
  });
}
