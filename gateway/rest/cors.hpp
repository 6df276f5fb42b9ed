// Which web pages may read what REST answers them (Fetch standard, "CORS protocol"): those of the origins
// that the listener names, and no others. A page that is not named is answered like any client; its browser
// keeps the answer from it. There are no cookies here, so nobody is logged in by the browser's own doing.
#pragma once

#include <string>
#include <vector>

#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

/// What of a request concerns CORS; empty: the field is not there.
struct CrossOrigin {
  std::string origin;            // Origin
  std::string requested_method;  // Access-Control-Request-Method: of a preflight
};

/// Adds the fields that the browser asks for. `allowed_origins` as in [[listener]]: exact,
/// "https://app.example.com". To a preflight, whose answer has the path's methods in Allow, also what may be
/// sent.
void add_cors(const std::vector<std::string>& allowed_origins, const CrossOrigin& asked, Response& response);

}  // namespace wake::gateway::rest
