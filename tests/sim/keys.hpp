// The credentials of a simulator's folder, made at run time and reused from then on: nothing secret is ever
// shipped.
//   ca.pem, ca.key              the private root that clients are told to trust (ca_file)
//   AuthKey_<key id>.p8         APNs keys, PKCS#8 PEM, P-256 (one per line of kApnsKeys)
//   service-account.json        Google's key file; rewritten at each start because token_uri names the port
// Both simulators may share one folder and may start at the same time: making it is done under a file lock.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/jwt.hpp"

namespace wake::sim {

struct ApnsKey {
  std::string key_id;       // 10 characters
  std::string team_id;      // 10 characters
  std::string environment;  // "production", "sandbox", or "any" as keys made before February 2025
  std::filesystem::path file;
  Key key;
};

struct ServiceAccount {
  std::string project_id, project_number, client_email, private_key_id;
  std::filesystem::path file;
  Key key;
};

struct Keys {
  std::filesystem::path ca_file;
  Key ca_key;
  std::vector<ApnsKey> apns;  // the first is the one to use; the others are for tests of refusals
  ServiceAccount account;
};

/// Makes what is missing in `folder` (which may not exist yet) and reads the rest. Throws std::runtime_error
/// naming the file that could not be read or written.
Keys open_keys(const std::filesystem::path& folder);

/// Writes service-account.json for that token_uri, in one step (rename).
void write_service_account(const ServiceAccount&, std::string_view token_uri);

std::string pem_of(EVP_PKEY*);

}  // namespace wake::sim
