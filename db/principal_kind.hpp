// A principal's kind as the tables spell it: sessions.principal_kind, acl_rules.subject, notices.
#pragma once

#include <optional>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::db {

/// "anonymous" | "user" | "device" | "service".
std::string_view text_of(broker::Principal::Kind kind);
/// Empty: none of these words.
std::optional<broker::Principal::Kind> kind_of(std::string_view text);

}  // namespace wake::db
