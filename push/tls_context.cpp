#include "push/tls_context.hpp"

#include <stdexcept>

#include <openssl/ssl.h>

namespace wake::push {
namespace {

void require(const boost::system::error_code& error, const std::string& file, const char* what) {
  if (error) throw std::runtime_error(std::string(what) + " " + file + ": " + error.message());
}

}  // namespace

boost::asio::ssl::context make_tls_context(const TlsFiles& files) {
  using boost::asio::ssl::context;
  context tls(context::tls_client);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_verify_mode(boost::asio::ssl::verify_peer);
  boost::system::error_code error;
  if (files.ca_file.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.load_verify_file(files.ca_file, error);
  }
  require(error, files.ca_file, "ca_file");
  if (!files.cert_file.empty()) {
    tls.use_certificate_chain_file(files.cert_file, error);
    require(error, files.cert_file, "cert_file");
    tls.use_private_key_file(files.key_file, context::pem, error);
    require(error, files.key_file, "key_file");
  }
  return tls;
}

}  // namespace wake::push
