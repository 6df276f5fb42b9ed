// TLS directly on a non-blocking socket, so that connection and TLS state can move to another shard together.
// Ignoring SIGPIPE is the process's duty: OpenSSL writes with write(2).
#pragma once

#include "gateway/listen/tls_context.hpp"
#include "gateway/mqtt/transport.hpp"

namespace wake::gateway {

/// The server's end. Null when memory is lacking.
std::unique_ptr<Transport> make_tls_transport(FileDescriptor fd, const TlsContextPtr& context);

}  // namespace wake::gateway
