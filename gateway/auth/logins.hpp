// The ways to log in that a listener may restrict itself to: [[listener]] auth. A set is a number, which the
// core carries from the listener to the authenticator without looking at it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wake::gateway {

enum class Login : std::uint32_t {
  Password = 1,     // of a user, a device's secret, an API key
  Token = 2,        // as the password
  Certificate = 4,  // or a pre-shared key
  Anonymous = 8,
};

/// 0: the listener has no rules of its own; all but Anonymous, which [auth] allow_anonymous decides.
using Logins = std::uint32_t;

inline bool may(Logins logins, Login login, bool by_default) {
  return logins == 0 ? by_default : (logins & static_cast<Logins>(login)) != 0;
}

/// From the words of the configuration; config/check.cpp has refused others.
inline Logins logins_of(const std::vector<std::string>& words) {
  Logins logins = 0;
  for (const std::string& word : words) {
    if (word == "password") logins |= static_cast<Logins>(Login::Password);
    if (word == "token") logins |= static_cast<Logins>(Login::Token);
    if (word == "certificate") logins |= static_cast<Logins>(Login::Certificate);
    if (word == "anonymous") logins |= static_cast<Logins>(Login::Anonymous);
  }
  return logins;
}

}  // namespace wake::gateway
