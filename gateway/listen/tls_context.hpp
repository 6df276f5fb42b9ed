// The server side of TLS for one listener: certificates by name, whose clients' certificates count,
// pre-shared keys. TLS 1.2 and 1.3 only. A context is immutable and shared by all shards (OpenSSL counts the
// references itself); a reload makes a new one, and connections that exist keep theirs.
//
// Sessions are resumed by tickets: the client keeps the state, we keep none, and any shard takes it. The keys
// that seal tickets are the context's own, so after a reload nobody resumes past a new revocation list.
#pragma once

#include <memory>
#include <string>

#include "config/options.hpp"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace wake::gateway {

using TlsContextPtr = std::shared_ptr<SSL_CTX>;

/// Reads the files. Throws std::runtime_error naming the file, OpenSSL's reason and what was expected. Any
/// thread.
TlsContextPtr make_tls_context(const config::ListenerOptions& options);

struct SslDeleter {
  void operator()(SSL* ssl) const;
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

/// The server's end of a connection on `fd`, which stays the caller's. Null when memory is lacking.
SslPtr make_ssl(const TlsContextPtr& context, int fd);

/// Who TLS has verified the client to be: the identity of its pre-shared key, or the common name of its
/// certificate; else empty.
std::string verified_name(const SSL& ssl);

}  // namespace wake::gateway
