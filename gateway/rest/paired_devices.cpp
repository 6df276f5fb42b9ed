#include <nlohmann/json.hpp>

#include "db/account_pairings.hpp"
#include "gateway/rest/etag.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/paired_device_json.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {

nlohmann::json to_json(const db::PairedDevice& device) {
  return {{"id", device.id},
          {"name", device.name},
          {"role", db::to_text(device.role)},
          {"paired_at", time_text(device.paired_at)}};
}

Response list_paired_devices(const Call& call) {
  return page_response(db::list_paired_devices(call.context.pool, call.user(), call.page()),
                       [](const db::PairedDevice& device) { return to_json(device); });
}

Response get_paired_device(const Call& call) {
  const auto device = db::find_paired_device(call.context.pool, call.user(), call.parameter(0));
  if (!device) throw not_found("device " + call.parameter(0));
  return json_response(200, to_json(*device));
}

Response patch_paired_device(const Call& call) {
  JsonBody body(call.request);
  const std::string name = body.text("name", {0, 200});
  body.done();
  const auto check = [&](const db::PairedDevice& former) { require_match(call.request, to_json(former)); };
  const auto device =
      db::rename_paired_device(call.context.pool, call.user(), call.parameter(0), name, check);
  if (!device) throw not_found("device " + call.parameter(0));
  call.refresh(call.user());
  return json_response(200, to_json(*device));
}

Response delete_paired_device(const Call& call) {
  const std::vector<broker::UserId> unpaired = db::unpair(call.context.pool, call.user(), call.parameter(0));
  if (unpaired.empty()) throw not_found("device " + call.parameter(0));
  call.refresh(unpaired);
  return no_content();
}

}  // namespace wake::gateway::rest
