// A named query of db/sql/*.sql, as the build embeds it (sql/README.md tells how to add one).
#pragma once

namespace wake::db {

struct Query {
  const char* name;  // "file.name": the prepared statement's name on every connection
  const char* text;
};

}  // namespace wake::db
