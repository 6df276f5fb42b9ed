#include <algorithm>

#include <nlohmann/json.hpp>

#include "broker-core/topic/topic_name.hpp"
#include "db/account_devices.hpp"
#include "db/account_inbox.hpp"
#include "db/account_keys.hpp"
#include "db/account_users.hpp"
#include "gateway/auth/scram.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

constexpr std::size_t kMaxKeyFilters = 100;

nlohmann::json to_json(const db::Device& device) {
  return {{"id", device.id}, {"name", device.name}, {"created_at", time_text(device.created_at)}};
}

nlohmann::json to_json(const db::ApiKey& key) {
  return {{"id", std::to_string(key.id)},
          {"name", key.name},
          {"scopes", key.scopes},
          {"filters", key.filters},
          {"created_at", time_text(key.created_at)}};
}

nlohmann::json to_json(const ClientView& client) {
  return {{"client_id", client.client_id},
          {"principal", {{"kind", client.principal_kind}, {"id", client.principal_id}}},
          {"address", client.address},
          {"listener", client.listener},
          {"protocol_version", client.protocol_version},
          {"connected_at", time_text(client.connected_at)}};
}

nlohmann::json to_json(const db::TraceRow& row) {
  nlohmann::json body = {{"receiver", row.receiver}, {"id", row.id}, {"state", row.state}};
  if (!row.user_id.empty()) body["user_id"] = row.user_id;
  if (!row.reason.empty()) body["reason"] = row.reason;
  if (row.receiver == "push") body["attempt_count"] = row.attempt_count;
  if (!row.provider_id.empty()) body["provider_id"] = row.provider_id;
  if (row.due_at) body["due_at"] = time_text(*row.due_at);
  if (row.resolved_at) body["resolved_at"] = time_text(*row.resolved_at);
  return body;
}

void check_scopes(std::vector<std::string>& scopes) {
  const auto is_known = [](const std::string& s) {
    return s == "admin" || s == "publish" || s == "subscribe";
  };
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  if (scopes.empty() || !std::all_of(scopes.begin(), scopes.end(), is_known)) {
    throw invalid_field("scopes", "a list of \"admin\", \"publish\", \"subscribe\", at least one of them");
  }
}

void check_filters(const std::vector<std::string>& filters, std::size_t max_levels) {
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (!broker::is_valid_topic_filter(filters[i], max_levels) || broker::parse_shared(filters[i])) {
      throw invalid_field(
          "filters[" + std::to_string(i) + "]",
          "an MQTT topic filter of at most " + std::to_string(max_levels) + " levels, without $share");
    }
  }
}

/// Shown once: nobody keeps a copy, caches included.
Response shown_once(int status, nlohmann::json body, const char* field, const Secret& secret) {
  body[field] = secret.reveal();
  Response response = json_response(status, body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

Response add_device(const Call& call) {
  JsonBody body(call.request);
  const std::string id = body.text("id", {1, 64});
  const std::string name = body.maybe_text("name", {0, 200}).value_or("");
  body.done();
  if (!db::is_device_id(id)) throw invalid_field("id", "1 to 64 of A-Z a-z 0-9 . _ : -, and not api-key");
  const Secret secret = make_device_secret();
  const auto answer = [&](const db::Device& added) {
    return shown_once(201, to_json(added), "secret", secret);
  };
  const auto device = db::add_device(call.context.pool, id, name, sha256(secret.reveal()),
                                     new_verifier(secret), keep<db::Device>(call.attempt, answer));
  if (!device)
    throw conflict("There is a device or a user " + id + " already.",
                   "Choose another id; POST /v1/devices/{id}/secret gives a device a new secret.", "id");
  return answer(*device);
}

Response list_devices(const Call& call) {
  return page_response(db::list_devices(call.context.pool, call.page()),
                       [](const db::Device& device) { return to_json(device); });
}

Response delete_device(const Call& call) {
  const db::DeviceRemoval removal = db::remove_device(call.context.pool, call.parameter(0));
  if (!removal.is_removed) throw not_found("device " + call.parameter(0));
  call.refresh(removal.users);
  call.end_logins(broker::Principal::Kind::Device, call.parameter(0));
  return no_content();
}

Response rotate_device_secret(const Call& call) {
  JsonBody::expect_none(call.request);
  const Secret secret = make_device_secret();
  const auto answer = [&](const db::Device& rotated) {
    return shown_once(200, to_json(rotated), "secret", secret);
  };
  const auto device = db::set_device_secret(call.context.pool, call.parameter(0), sha256(secret.reveal()),
                                            new_verifier(secret), keep<db::Device>(call.attempt, answer));
  if (!device) throw not_found("device " + call.parameter(0));
  call.end_logins(broker::Principal::Kind::Device, device->id);
  return answer(*device);
}

Response add_api_key(const Call& call) {
  JsonBody body(call.request);
  db::ApiKey key;
  key.name = body.text("name", {1, 200});
  key.scopes = body.maybe_texts("scopes", 3, {1, 20}).value_or(std::vector<std::string>{});
  key.filters = body.maybe_texts("filters", kMaxKeyFilters, {1, 1024}).value_or(std::vector<std::string>{});
  body.done();
  check_scopes(key.scopes);
  check_filters(key.filters, call.context.options.max_topic_levels);
  const Secret secret = make_api_key();
  const auto answer = [&](const db::ApiKey& added) { return shown_once(201, to_json(added), "key", secret); };
  return answer(db::add_api_key(call.context.pool, key, sha256(secret.reveal()),
                                keep<db::ApiKey>(call.attempt, answer)));
}

Response list_api_keys(const Call& call) {
  return page_response(db::list_api_keys(call.context.pool, call.numbered_page()),
                       [](const db::ApiKey& key) { return to_json(key); });
}

Response delete_api_key(const Call& call) {
  if (!db::remove_api_key(call.context.pool, path_id(call, 0, "api key")))
    throw not_found("api key " + call.parameter(0));
  call.end_logins(broker::Principal::Kind::Service, call.parameter(0));
  return no_content();
}

Response list_clients(const Call& call) {
  const db::PageRequest request = call.page();
  std::vector<ClientView> clients = call.context.port.clients();
  std::erase_if(clients, [&](const ClientView& client) { return client.client_id <= request.after; });
  std::sort(clients.begin(), clients.end(),
            [](const ClientView& a, const ClientView& b) { return a.client_id < b.client_id; });
  db::Page<ClientView> page;
  if (clients.size() > static_cast<std::size_t>(request.limit)) {
    clients.resize(static_cast<std::size_t>(request.limit));
    page.next = clients.back().client_id;
  }
  page.items = std::move(clients);
  return page_response(page, [](const ClientView& client) { return to_json(client); });
}

Response kick_client(const Call& call) {
  if (!call.context.port.kick(broker::ClientId{call.parameter(0)}))
    throw not_found("client " + call.parameter(0));
  return no_content();
}

Response trace_message(const Call& call) {
  const auto trace = db::load_trace(call.context.pool, broker::MessageId{path_id(call, 0, "message")});
  if (!trace) throw not_found("message " + call.parameter(0));
  nlohmann::json receivers = nlohmann::json::array();
  for (const db::TraceRow& row : trace->rows) receivers.push_back(to_json(row));
  return json_response(200, {{"id", call.parameter(0)},
                             {"topic", trace->topic},
                             {"at", time_text(trace->at)},
                             {"receivers", std::move(receivers)}});
}

}  // namespace wake::gateway::rest
