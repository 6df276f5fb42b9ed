// [database] of the configuration.
#pragma once

#include <string>

namespace wake::db {

struct DatabaseOptions {
  std::string url =
      "postgresql:///wakemq";  // libpq's URI or key=value form; never logged (it may hold a password)
  int pool = 4;                // connections for REST and other blocking workers, 1..1000
};

/// Can libpq read it? Nothing is connected to.
bool is_database_url(const std::string& url);

}  // namespace wake::db
