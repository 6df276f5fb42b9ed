// Google's key file, and the assertion made from it (Google, "Using OAuth 2.0 for server to server
// applications").
#pragma once

#include <string>
#include <string_view>

#include "broker-core/types.hpp"
#include "push/signing_key.hpp"

namespace wake::push::fcm {

/// Holds a private key: never logged.
struct ServiceAccount {
  std::string project_id;
  std::string private_key_id;
  std::string private_key;  // PKCS#8 PEM, RSA
  std::string client_email;
  std::string token_uri;
};

/// Throws std::runtime_error naming the field that is missing or not a string.
ServiceAccount parse_service_account(std::string_view json);

/// RS256 JWT: iss, scope, aud, iat, exp = iat + 3600.
std::string make_assertion(const ServiceAccount& account, const SigningKey& key, broker::UtcTime now);

}  // namespace wake::push::fcm
