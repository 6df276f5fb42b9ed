#include "db/principal_kind.hpp"

namespace wake::db {

using Kind = broker::Principal::Kind;

std::string_view text_of(Kind kind) {
  switch (kind) {
    case Kind::User:
      return "user";
    case Kind::Device:
      return "device";
    case Kind::Service:
      return "service";
    case Kind::Anonymous:
      break;
  }
  return "anonymous";
}

std::optional<Kind> kind_of(std::string_view text) {
  for (const Kind kind : {Kind::Anonymous, Kind::User, Kind::Device, Kind::Service}) {
    if (text == text_of(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace wake::db
