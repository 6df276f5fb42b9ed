#include "db/database_options.hpp"

#include <memory>

#include <libpq-fe.h>

namespace wake::db {

bool is_database_url(const std::string& url) {
  char* error = nullptr;  // may quote the password: not passed on
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &error), PQconninfoFree);
  PQfreemem(error);
  return options != nullptr;
}

}  // namespace wake::db
