// The handlers of routes.cpp, by subject; each is defined in the file named above it. What a call does, takes
// and answers is in openapi.json; who may make it is in the table of routes.cpp.
#pragma once

#include "gateway/rest/call.hpp"

namespace wake::gateway::rest {

// users.cpp
Response add_user(const Call& call);
Response list_users(const Call& call);
Response delete_user(const Call& call);
Response put_password(const Call& call);

// auth.cpp
Response make_token(const Call& call);
Response refresh_token(const Call& call);
Response revoke_token(const Call& call);

// acl_rules.cpp
Response list_rules(const Call& call);
Response add_rule(const Call& call);
Response delete_rule(const Call& call);

// phones.cpp
Response put_phone(const Call& call);
Response list_phones(const Call& call);
Response get_phone(const Call& call);
Response delete_phone(const Call& call);
Response put_presence(const Call& call);
void test_phone(const Call& call, const Respond& respond);

// pairings.cpp
Response start_pairing(const Call& call);
Response get_pairing(const Call& call);
Response delete_pairing(const Call& call);
Response claim_pairing(const Call& call);
Response reset_pairings(const Call& call);

// paired_devices.cpp
Response list_paired_devices(const Call& call);
Response get_paired_device(const Call& call);
Response patch_paired_device(const Call& call);
Response delete_paired_device(const Call& call);

// members.cpp
Response invite(const Call& call);
Response list_invitations(const Call& call);
Response delete_invitation(const Call& call);
Response accept_invitation(const Call& call);
Response list_members(const Call& call);
Response patch_member(const Call& call);
Response delete_member(const Call& call);

// topics.cpp
Response list_topics(const Call& call);
Response add_topic(const Call& call);
Response get_topic(const Call& call);
Response patch_topic(const Call& call);
Response delete_topic(const Call& call);
Response list_topics_of_user(const Call& call);
Response add_topic_of_user(const Call& call);
Response patch_topic_of_user(const Call& call);
Response delete_topic_of_user(const Call& call);

// messages.cpp
Response list_messages(const Call& call);
Response get_message(const Call& call);
Response ack_messages(const Call& call);

// publish.cpp
Response publish(const Call& call);

// admin.cpp
Response add_device(const Call& call);
Response list_devices(const Call& call);
Response delete_device(const Call& call);
Response rotate_device_secret(const Call& call);
Response add_api_key(const Call& call);
Response list_api_keys(const Call& call);
Response delete_api_key(const Call& call);
Response list_clients(const Call& call);
Response kick_client(const Call& call);
Response trace_message(const Call& call);

// health.cpp
Response get_health(const Call& call);
Response get_readiness(const Call& call);
Response get_metrics(const Call& call);
Response get_openapi(const Call& call);

// docs.cpp
Response get_docs(const Call& call);
Response get_docs_style(const Call& call);

}  // namespace wake::gateway::rest
