// The one error that means "PostgreSQL cannot be asked now", and the door through which libpqxx's ways of
// saying so pass.
#pragma once

#include <stdexcept>
#include <utility>

namespace wake::db {

/// Refused, unreachable, the connection broke, or every connection of the pool stayed in use. Trying again
/// later may succeed; whether a statement under way was carried out is unknown.
struct StorageAway : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Call it in a catch (...) block: throws StorageAway for a lost or refused connection, the caught error
/// itself otherwise.
[[noreturn]] void rethrow_storage_error();

/// Runs `body` with that translation.
template <class Body>
auto with_storage_errors(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    rethrow_storage_error();
  }
}

}  // namespace wake::db
