// The filter of a row of acl_rules before it is somebody's: %u stands for the user name, %c for the client id
// (contract §6).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wake::broker {

/// The filter with the names put in. Empty: a name would bring a wildcard, a slash or nothing into it
/// (CVE-2017-7650), or what comes out is no valid topic filter. Then the rule gives nothing.
std::optional<std::string> fill_in_rule(std::string_view pattern, std::string_view username,
                                        std::string_view client_id);

}  // namespace wake::broker
