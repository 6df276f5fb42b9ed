#include "gateway/bridge/certificate_names.hpp"

#include <array>
#include <memory>

#include <arpa/inet.h>
#include <openssl/x509v3.h>

namespace wake::gateway {

namespace {

constexpr int kMaxNames = 10;

using Names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

std::string text_of(const ASN1_STRING* string) {
  const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return {bytes, static_cast<std::size_t>(ASN1_STRING_length(string))};
}

/// Empty: neither a DNS name nor an address.
std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return text_of(name.d.dNSName);
  if (name.type != GEN_IPADD) return {};
  const int family = ASN1_STRING_length(name.d.iPAddress) == 4 ? AF_INET : AF_INET6;
  const bool is_whole = family == AF_INET || ASN1_STRING_length(name.d.iPAddress) == 16;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_whole) ::inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), text.data(), text.size());
  return text.data();
}

std::string common_name(const X509& certificate) {
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "nobody";
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace

std::string names_of(const X509& certificate) {
  const Names names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string list;
  int count = 0;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && count < kMaxNames; ++i) {
    const std::string name = text_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (name.empty()) continue;
    if (count++ > 0) list += ", ";
    list += name;
  }
  return count > 0 ? list : common_name(certificate);
}

}  // namespace wake::gateway
