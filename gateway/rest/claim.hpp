// A device completes a pairing: by POST /v1/pairings/{code}/claim, and by MQTT on $wake/pair (contract §6,
// §7). One rule for both.
#pragma once

#include <string>

#include "db/account_pairings.hpp"
#include "gateway/rest/call.hpp"
#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

/// Upper case, without the spaces and dashes people put in.
std::string normal_code(std::string code);

/// Reads {"name"?, "topics"?} (and "code" too when `has_code`) from the request's body for the calling
/// device. Throws Problem 4xx.
db::Claim read_claim(const Call& call, bool has_code);

/// Carries it out: pairs, refreshes the user's record, tells the phones. Throws Problem 404 (no such code),
/// 429 (this device tried too many), 503.
db::ClaimResult carry_out(const Call& call, const db::Claim& claim);

}  // namespace wake::gateway::rest
