// Files that the build put into the binary (gateway/CMakeLists.txt).
#pragma once

#include <string_view>

namespace wake::gateway::rest {
std::string_view openapi_text();   // openapi.json of the repository's root
std::string_view docs_css_text();  // docs.css
}  // namespace wake::gateway::rest
