// What a certificate says whose it is, for the operator who has to find out why it is not accepted.
#pragma once

#include <string>

#include <openssl/x509.h>

namespace wake::gateway {

/// Its DNS names and addresses, comma between, at most ten; without any, its common name; "nobody" without
/// that.
std::string names_of(const X509& certificate);

}  // namespace wake::gateway
