// GET /docs: openapi.json as a page for people. Made once, from the document that is served, so it cannot
// differ.
#pragma once

#include <string>
#include <string_view>

namespace wake::gateway::rest {

/// HTML without scripts and without anything from elsewhere but its style, docs.css. `document`:
/// openapi.json.
std::string docs_page(std::string_view document);

}  // namespace wake::gateway::rest
