// A device paired with the caller, as JSON shows it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "db/account_pairings.hpp"

namespace wake::gateway::rest {

nlohmann::json to_json(const db::PairedDevice& device);

}  // namespace wake::gateway::rest
