// migrations/*.up.sql as the build put them into the binary, in order of version.
#pragma once

#include <span>

namespace wake::db {

struct EmbeddedMigration {
  int version;
  const char* name;
  const char* checksum;  // SHA-256 of the file, hex
  const char* sql;
};

std::span<const EmbeddedMigration> embedded_migrations();

}  // namespace wake::db
