#include "gateway/device_pairing.hpp"

#include <nlohmann/json.hpp>

#include "db/storage_away.hpp"
#include "gateway/observe/log.hpp"
#include "gateway/rest/claim.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway {

namespace {

/// {"reset": true} without a code: the device has been set back, and is not paired anew yet.
bool is_reset_alone(const std::string& payload) {
  return nlohmann::json::parse(payload, nullptr, false) == nlohmann::json{{"reset", true}};
}

}  // namespace

struct DevicePairing::Impl {
  Impl(const RestOptions& rest_options, Port& port, Authenticator& authenticator, db::Pool& pool)
      : options(rest_options),
        context{.port = port,
                .authenticator = authenticator,
                .pool = pool,
                .options = options,
                .log = log_sink()} {}
  const RestOptions options;
  rest::Context context;
};

DevicePairing::DevicePairing(const RestOptions& options, Port& port, Authenticator& authenticator,
                             db::Pool& pool)
    : impl_(std::make_unique<Impl>(options, port, authenticator, pool)) {}

DevicePairing::~DevicePairing() = default;

void DevicePairing::claim(const broker::PairRequest& request) {
  const auto answer = [&](const nlohmann::json& event) {
    impl_->context.port.send_event(request.client_id, event.dump());
  };
  const auto refuse = [&](const rest::Problem& problem) {
    log(LogLevel::Info, "pairing.refused", request.client_id.value + ": " + problem.detail);
    answer({{"type", "pairing_failed"}, {"detail", problem.detail}, {"fix", problem.fix}});
  };
  if (request.principal.kind != broker::Principal::Kind::Device) {
    return refuse(
        rest::forbidden("Only a device can complete a pairing.", "Connect with the device's id and secret."));
  }
  rest::Request body;
  body.content_type = "application/json";
  body.body = request.payload;
  body.address = request.address.substr(0, request.address.rfind(':'));
  const rest::Target target;
  AuthResult who;
  who.outcome = AuthResult::Outcome::Ok;
  who.principal = request.principal;
  const rest::Call call{impl_->context, body, target, std::move(who), {}};
  try {
    if (is_reset_alone(request.payload)) {
      rest::reset_device(call);
      return answer({{"type", "reset"}, {"device_id", request.principal.id}});
    }
    nlohmann::json event = rest::carry_out(call, rest::read_claim(call, true));
    event["type"] = "paired";
    answer(event);
  } catch (const rest::Problem& problem) {
    refuse(problem);
  } catch (const db::StorageAway&) {
    refuse(rest::storage_away());
  }
}

}  // namespace wake::gateway
