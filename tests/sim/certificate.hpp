// X.509 for the simulators: a private root, and a server certificate under it made anew (in memory) at each
// start.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/jwt.hpp"

namespace wake::sim {

/// A self-signed root of ten years, as PEM. Throws std::runtime_error when OpenSSL refuses.
std::string make_ca_pem(EVP_PKEY* ca_key);

struct ServerCertificate {
  std::string chain_pem;  // leaf only: clients hold the root
  std::string key_pem;
};
/// A server certificate of 30 days for those names; a name that parses as an IP address becomes an IP SAN.
ServerCertificate make_server_certificate(const std::string& ca_pem, EVP_PKEY* ca_key,
                                          const std::vector<std::string>& names);

}  // namespace wake::sim
