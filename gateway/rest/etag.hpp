// Entity tags (RFC 9110 section 8.8.3, section 13): what a client has seen of a thing, so that it need not be
// sent again (If-None-Match) and so that two writers do not undo each other unseen (If-Match). A tag is
// strong: a digest of the very bytes that GET answers.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "gateway/rest/exchange.hpp"

namespace wake::gateway::rest {

std::string etag_of(std::string_view bytes);

/// An answer to GET or HEAD: gains its ETag, and becomes 304 when If-None-Match has it. Any other: as it was.
Response with_etag(const Request& request, Response response);

/// For a change of what GET answers as `current`: throws Problem 412 when the request's If-Match names
/// neither its tag nor *. No If-Match: nothing is asked.
void require_match(const Request& request, const nlohmann::json& current);
/// The same of what is not there: If-Match, even *, is then never met.
void require_match_of_nothing(const Request& request);

}  // namespace wake::gateway::rest
