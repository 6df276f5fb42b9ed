// libpqxx's connection by name only, for headers.
#pragma once

namespace pqxx {
template <typename Policy>
class basic_connection_base;
class connect_direct;
}  // namespace pqxx

namespace wake::db {

/// What pqxx::connection is an alias of. Include <pqxx/connection> where it is used.
using Connection = pqxx::basic_connection_base<pqxx::connect_direct>;

}  // namespace wake::db
