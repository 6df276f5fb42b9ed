// OpenSSL's reasons for a failed handshake in an operator's words: what happened, and what to do about it.
#pragma once

#include <string>

#include "gateway/listen/tls_context.hpp"

namespace wake::gateway {

/// Takes the oldest error of this thread's OpenSSL queue and empties it. `ssl`: whose handshake it was.
std::string take_tls_failure(const SSL& ssl);

/// The hint alone, for an OpenSSL reason code of the SSL library; empty when there is nothing to add.
const char* tls_failure_hint(int reason);

}  // namespace wake::gateway
