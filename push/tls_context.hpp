// The client side of TLS: towards a provider, or another broker. Included by .cpp files only.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace wake::push {

struct TlsFiles {
  std::string ca_file;    // trusted instead of the system's roots; empty: the system's
  std::string cert_file;  // client certificate chain, PEM; empty: none
  std::string key_file;   // its key, PEM
};

/// TLS 1.2 or newer, peer verified. Throws std::runtime_error naming the file that cannot be used.
boost::asio::ssl::context make_tls_context(const TlsFiles& files);

}  // namespace wake::push
