// A device completes a pairing: by POST /v1/pairings/{code}/claim, and by MQTT on $wake/pair (contract §6,
// §7). One rule for both.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "db/account_pairings.hpp"
#include "gateway/rest/call.hpp"
#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

/// Reads {"name"?, "topics"?, "reset"?} (and "code" too when `has_code`) from the request's body for the
/// calling device. Throws Problem 4xx.
db::Claim read_claim(const Call& call, bool has_code);

/// Carries it out: pairs, refreshes the records of the users concerned. The answer: {"device_id", "name"}.
/// Throws Problem 404 (no such code), 409 (somebody else's device), 429 (too many wrong codes), 503.
nlohmann::json carry_out(const Call& call, const db::Claim& claim);

/// The calling device, as from the factory, has no user any more.
void reset_device(const Call& call);

}  // namespace wake::gateway::rest
