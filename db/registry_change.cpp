#include "db/registry_change.hpp"

#include <algorithm>
#include <charconv>

#include "db/principal_kind.hpp"

namespace wake::db {
namespace {

/// Cuts what is before the first colon off the front.
std::string_view take_word(std::string_view& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view word = text.substr(0, colon);
  text.remove_prefix(std::min(colon + 1, text.size()));
  return word;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "42:7" of "token:42:7".
std::optional<RegistryChange> parse_token(std::string_view notice) {
  const std::string_view user = take_word(notice);
  std::int64_t login_id = 0;
  const auto [end, error] = std::from_chars(notice.data(), notice.data() + notice.size(), login_id);
  if (!is_number(user) || error != std::errc{} || end != notice.data() + notice.size() || login_id <= 0)
    return std::nullopt;
  return RegistryChange{RegistryChange::What::Token, broker::Principal::Kind::User, std::string(user),
                        login_id};
}

}  // namespace

bool RegistryChange::concerns(const broker::Principal& principal) const {
  if (kind && *kind != principal.kind) return false;
  return id.empty() || principal.kind == broker::Principal::Kind::Service || principal.name == id;
}

std::optional<RegistryChange> parse_registry_change(std::string_view notice) {
  using What = RegistryChange::What;
  const std::string_view what = take_word(notice);
  if ((what == "user" || what == "alerts") && is_number(notice)) {
    return RegistryChange{what == "user" ? What::User : What::Alerts, broker::Principal::Kind::User,
                          std::string(notice)};
  }
  if (what == "token") return parse_token(notice);
  if (what != "login" && what != "rules") return std::nullopt;
  const std::string_view word = take_word(notice);
  const bool is_rules = what == "rules";
  RegistryChange change{is_rules ? What::Rules : What::Login, kind_of(word), std::string(notice)};
  const bool is_known = change.kind ? is_rules || !notice.empty() : is_rules && word == "all";
  if (!is_known) return std::nullopt;
  return change;
}

}  // namespace wake::db
