// SCRAM-SHA-256 (RFC 5802, RFC 7677) as values: the verifier that is stored instead of a password, and the
// two steps of the server. Without channel binding ("n,,"). A server that loses its table to a thief gives
// nobody a password by it: a verifier lets no one log in.
//
// Not here: who has which verifier, and who is let in (authenticator.hpp). Names and passwords are taken as
// they come, without SASLprep: a name outside of ASCII must be sent as it was registered. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/auth/secret.hpp"

namespace wake::gateway {

inline constexpr std::string_view kScramMethod = "SCRAM-SHA-256";

/// What is stored. Never shown, never logged.
struct ScramVerifier {
  int iterations = 0;
  std::string salt, stored_key, server_key;  // bytes
};

/// The same count for all, users and devices and names that do not exist: else it would tell which is which.
inline constexpr int kScramIterations = 20'000;

/// Tens of milliseconds. `salt` is 16 random bytes.
ScramVerifier make_verifier(const Secret& password, std::string salt, int iterations = kScramIterations);
/// "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey" in base64, as PostgreSQL writes its own.
std::string to_text(const ScramVerifier& verifier);
/// nullopt: not what to_text() makes.
std::optional<ScramVerifier> parse_verifier(std::string_view text);
/// A new verifier with a fresh salt, as text. Throws std::runtime_error when OpenSSL has no randomness.
std::string new_verifier(const Secret& password);

/// The client's first message, understood.
struct ScramFirst {
  std::string bare;  // without "n,,"
  std::string name;
  std::string nonce;
};
/// "n,,n=NAME,r=NONCE". nullopt: malformed, with a channel binding, an authorization name or a mandatory
/// extension, or longer than anybody needs.
std::optional<ScramFirst> parse_first(std::string_view message);
/// "r=NONCE+ours,s=SALT,i=ITERATIONS".
std::string make_challenge(const ScramFirst& first, std::string_view our_nonce,
                           const ScramVerifier& verifier);

/// The client's final message "c=biws,r=NONCE,p=PROOF" checked against the exchange before it: the server's
/// final message "v=…", or nullopt when the proof is wrong or the message is not one.
std::optional<std::string> check_proof(const ScramFirst& first, std::string_view challenge,
                                       std::string_view final_message, const ScramVerifier& verifier);

/// For names that nobody has: the same salt whenever it is asked, drawn from `secret` and the name.
ScramVerifier fake_verifier(std::string_view secret, std::string_view name);

/// 18 random bytes in base64.
std::string make_nonce();

}  // namespace wake::gateway
