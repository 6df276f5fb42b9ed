#include <nlohmann/json.hpp>

#include "db/account_members.hpp"
#include "gateway/rest/codes.hpp"
#include "gateway/rest/handlers.hpp"
#include "gateway/rest/json_body.hpp"
#include "gateway/rest/page_response.hpp"
#include "gateway/rest/paired_device_json.hpp"
#include "gateway/rest/problem.hpp"

namespace wake::gateway::rest {
namespace {

nlohmann::json to_json(const db::Invitation& invitation) {
  return {{"code", invitation.code},
          {"device_id", invitation.device_id},
          {"role", db::to_text(invitation.role)},
          {"expires_at", time_text(invitation.expires_at)}};
}

nlohmann::json to_json(const db::Member& member) {
  return {{"username", member.username},
          {"role", db::to_text(member.role)},
          {"paired_at", time_text(member.paired_at)}};
}

Problem not_owner() {
  return forbidden("Only the owner of the device may do this.",
                   "Ask its owner (GET …/members tells who it is).");
}

/// The path's device, paired with the caller. Throws Problem 404.
db::PairedDevice own_device(const Call& call) {
  auto device = db::find_paired_device(call.context.pool, call.user(), call.parameter(0));
  if (!device) throw not_found("device " + call.parameter(0));
  return std::move(*device);
}

void need_owner(const Call& call) {
  if (own_device(call).role != db::PairingRole::Owner) throw not_owner();
}

/// The member whom it is about. Throws Problem 403, 404, 409.
broker::UserId need_done(const Call& call, const db::MemberResult& result) {
  switch (result.change) {
    case db::MemberChange::Done:
      return result.member;
    case db::MemberChange::NotOwner:
      throw not_owner();
    case db::MemberChange::NoSuchMember:
      throw not_found("member " + call.parameter(1));
    case db::MemberChange::IsOwner:
      break;
  }
  throw conflict("You are the owner.",
                 "Make a member the owner first (PATCH its role), or unpair the device from everybody "
                 "(DELETE /v1/me/devices/" +
                     call.parameter(0) + ").");
}

db::PairingRole read_role(JsonBody& body) {
  const auto role = body.maybe_word("role", {"member", "owner"});
  return role == "owner" ? db::PairingRole::Owner : db::PairingRole::Member;
}

}  // namespace

Response invite(const Call& call) {
  db::Invitation invitation;
  if (!call.request.body.empty()) {
    JsonBody body(call.request);
    invitation.role = read_role(body);
    body.done();
  }
  need_owner(call);
  invitation.device_id = call.parameter(0);
  invitation.expires_at = utc_now() + call.context.options.pairing_ttl;
  invitation.code = new_code([&](const std::string& made) {
    invitation.code = made;
    return db::add_invitation(call.context.pool, call.user(), invitation);
  });
  return json_response(201, to_json(invitation));
}

Response list_invitations(const Call& call) {
  need_owner(call);
  db::Page<db::Invitation> all;
  all.items = db::list_invitations(call.context.pool, call.user(), call.parameter(0), utc_now());
  return page_response(all, [](const db::Invitation& invitation) { return to_json(invitation); });
}

Response delete_invitation(const Call& call) {
  need_owner(call);
  if (!db::remove_invitation(call.context.pool, call.user(), call.parameter(0),
                             normal_code(call.parameter(1)))) {
    throw not_found("invitation " + call.parameter(1));
  }
  return no_content();
}

Response accept_invitation(const Call& call) {
  std::string name;
  if (!call.request.body.empty()) {
    JsonBody body(call.request);
    name = body.maybe_text("name", {0, 200}).value_or("");
    body.done();
  }
  const CodeGuess guess(call, "user " + call.who.principal.id);
  const db::Acceptance accepted =
      db::accept_invitation(call.context.pool, call.user(), normal_code(call.parameter(0)), name, utc_now());
  switch (accepted.outcome) {
    case db::Acceptance::Outcome::NoSuchCode:
      throw guess.missed("invitation",
                         "Ask the device's owner for a new invitation: one works once, for ten minutes.");
    case db::Acceptance::Outcome::Full:
      throw conflict("The device has " + std::to_string(db::kMaxMembers) + " users already.",
                     "Its owner has to remove one first.");
    case db::Acceptance::Outcome::Done:
      break;
  }
  std::vector<broker::UserId> users = accepted.changed;
  if (users.empty()) users.push_back(call.user());  // whoever accepted first may have died before this
  call.refresh(users);
  return json_response(200, to_json(accepted.device));
}

Response list_members(const Call& call) {
  own_device(call);
  return page_response(db::list_members(call.context.pool, call.parameter(0), call.page()),
                       [](const db::Member& member) { return to_json(member); });
}

Response patch_member(const Call& call) {
  JsonBody body(call.request);
  const std::string role = body.word("role", {"owner"});
  body.done();
  own_device(call);
  need_done(call, db::make_owner(call.context.pool, call.user(), call.parameter(0), call.parameter(1)));
  return json_response(200, {{"username", call.parameter(1)}, {"role", role}});
}

Response delete_member(const Call& call) {
  own_device(call);
  const auto result = db::remove_member(call.context.pool, call.user(), call.parameter(0), call.parameter(1));
  call.refresh(need_done(call, result));
  return no_content();
}

}  // namespace wake::gateway::rest
