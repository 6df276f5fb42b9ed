// Who exists and what is theirs, for REST, the authenticator and the command line: one header per subject,
// this one for all.
#pragma once

#include "db/account_devices.hpp"   // IWYU pragma: export
#include "db/account_grants.hpp"    // IWYU pragma: export
#include "db/account_inbox.hpp"     // IWYU pragma: export
#include "db/account_keys.hpp"      // IWYU pragma: export
#include "db/account_logins.hpp"    // IWYU pragma: export
#include "db/account_members.hpp"   // IWYU pragma: export
#include "db/account_pairings.hpp"  // IWYU pragma: export
#include "db/account_phones.hpp"    // IWYU pragma: export
#include "db/account_rules.hpp"     // IWYU pragma: export
#include "db/account_topics.hpp"    // IWYU pragma: export
#include "db/account_users.hpp"     // IWYU pragma: export
