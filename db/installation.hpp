// What tells this installation from others: the database that all its processes share.
#pragma once

#include <string>

#include "db/connection_fwd.hpp"

namespace wake::db {

/// 16 hexadecimal digits, the same for every process on this database and after every restart; of another
/// database they differ, also when it was restored from this one's dump.
std::string installation_mark(Connection& connection);

}  // namespace wake::db
