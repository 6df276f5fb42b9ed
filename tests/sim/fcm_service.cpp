#include "tests/sim/fcm_service.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "tests/sim/scripted_headers.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;
constexpr const char* kTokenPath = "/token";

/// What Google answers off the map: a page, not JSON.
Verdict not_found_page() {
  Verdict verdict;
  verdict.reason = "page";
  verdict.reply = {
      404,
      {{"content-type", "text/html; charset=UTF-8"}},
      "<!DOCTYPE html><html><title>Error 404 (Not Found)!!1</title><p>That's an error.</html>\n"};
  return verdict;
}

Verdict refuse(const fcm::Problem& problem, std::string target) {
  Verdict verdict;
  verdict.reply = fcm::to_reply(problem);
  verdict.reason = problem.reason();
  verdict.target = std::move(target);
  return verdict;
}

std::optional<std::string_view> bearer(const Request& request) {
  const auto header = request.header("authorization");
  constexpr std::string_view kUpper = "Bearer ", kLower = "bearer ";
  if (!header || !(header->starts_with(kUpper) || header->starts_with(kLower))) return std::nullopt;
  return header->substr(kUpper.size());
}

}  // namespace

FcmService::FcmService(const ServiceAccount& account, const Settings& settings)
    : account_(account), settings_(settings), oauth_(account) {}

Verdict FcmService::judge(const Request& request, Time now) {
  if (request.path == kTokenPath) {
    return oauth_.exchange(request, settings_.access_token_s, settings_.service_account_revoked, now);
  }
  const auto project = fcm::project_of(request.path);
  if (!project || request.method != "POST") return not_found_page();
  return judge_send(request, *project, now);
}

Verdict FcmService::judge_send(const Request& request, const std::string& project, Time now) {
  if (const auto problem = check_access(request, project, now)) return refuse(*problem, "");
  auto checked = fcm::check_message(request, account_.project_id, now);
  if (checked.problem) return refuse(*checked.problem, checked.push.token);
  if (const auto problem = check_limits(checked.push, now)) return refuse(*problem, checked.push.token);
  Verdict verdict;
  verdict.target = checked.push.token;
  verdict.title = checked.push.title.empty() ? checked.push.body : checked.push.title;
  if (checked.validate_only)
    checked.push.id = "projects/" + account_.project_id + "/messages/fake_message_id";
  verdict.reply.headers.emplace_back("content-type", "application/json; charset=UTF-8");
  verdict.reply.body = Json{{"name", checked.push.id}}.dump();
  const bool to_a_phone = !checked.validate_only && !checked.push.token.empty();
  if (to_a_phone) verdict.push = std::move(checked.push);
  return verdict;
}

std::optional<fcm::Problem> FcmService::check_access(const Request& request, const std::string& project,
                                                     Time now) const {
  const auto token = bearer(request);
  if (!token || oauth_.state_of(*token, now) != AccessState::Valid)
    return fcm::problem_named("UNAUTHENTICATED");
  if (settings_.permission_denied) return fcm::problem_named("PERMISSION_DENIED");
  if (project != account_.project_id && project != account_.project_number)
    return fcm::problem_named("NOT_FOUND");
  return std::nullopt;
}

std::optional<fcm::Problem> FcmService::check_limits(const Push& push, Time now) {
  const auto owner = project_of_token_.find(push.token);
  if (owner != project_of_token_.end() && owner->second != account_.project_id) {
    return fcm::problem_named("SENDER_ID_MISMATCH");
  }
  if (!rate_.allow("", settings_.project_per_minute, now)) return fcm::problem_named("QUOTA_EXCEEDED");
  if (!rate_.allow(push.token, settings_.device_per_minute, now))
    return fcm::problem_named("DEVICE_QUOTA_EXCEEDED");
  return std::nullopt;
}

void FcmService::script(Verdict& verdict, const Answer& answer, Time now) const {
  if (verdict.target == "oauth") {
    script_oauth(verdict, answer);
  } else if (answer.refuses()) {
    auto problem = fcm::problem_named(answer.reason);
    if (!problem) problem = fcm::Problem{400, answer.reason, answer.reason, "Scripted: " + answer.reason, {}};
    if (answer.status) problem->http = *answer.status;
    verdict.reply = fcm::to_reply(*problem, answer.details.get());
    verdict.reason = answer.reason.empty() ? "scripted" : answer.reason;
    if (answer.reason.empty()) verdict.reply.body.clear();
  }
  if (answer.status) verdict.reply.status = *answer.status;
  add_scripted_headers(verdict.reply, answer, now);
}

void FcmService::script_oauth(Verdict& verdict, const Answer& answer) {
  if (!answer.refuses()) return;
  const std::string reason = answer.reason.empty() ? "scripted" : answer.reason;
  verdict = OAuth::refusal(reason, "Scripted: " + reason);
  if (answer.reason.empty()) verdict.reply.body.clear();
}

void FcmService::declare(const Json& json) {
  if (!json.contains("token") || !json["token"].is_string()) throw std::invalid_argument("token is missing");
  if (!json.contains("project") || !json["project"].is_string())
    throw std::invalid_argument("project is missing");
  project_of_token_[json["token"].get<std::string>()] = json["project"].get<std::string>();
}

void FcmService::reset() {
  project_of_token_.clear();
  rate_.reset();
}

}  // namespace wake::sim
