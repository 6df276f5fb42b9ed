// What a notice on the channel wake_registry says: which part of the registry is to be looked at again. A
// notice names; it never carries what changed. Written by the triggers of migrations/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker-core/types.hpp"

namespace wake::db {

struct RegistryChange {
  enum class What {
    User,    // "user:42": the user's record (phones, pairings, entries)
    Login,   // "login:device:CAM1": the principal's credentials changed, or it is no more
    Token,   // "token:42:7": log-in 7 of user 42 was revoked
    Alerts,  // "alerts:42": the user's phones have something to be told (db/alerts.hpp)
    Rules,   // "rules:user:ann", "rules:service:", "rules:all:": what acl_rules gives a subject, by name or
             // all
  };
  What what = What::User;
  std::optional<broker::Principal::Kind> kind;  // Rules of the subject "all": none
  std::string id;             // Rules: the name; empty: whoever is of the kind. Token: the user's
  std::int64_t login_id = 0;  // Token
  friend bool operator==(const RegistryChange&, const RegistryChange&) = default;

  /// Is the principal one whose sessions a change of rules concerns? A service's rules go by the name of its
  /// key, which a principal does not carry: they concern every service.
  bool concerns(const broker::Principal& principal) const;
};

/// Empty: not a word of ours (a newer schema's).
std::optional<RegistryChange> parse_registry_change(std::string_view notice);

}  // namespace wake::db
