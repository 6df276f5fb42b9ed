// openapi.json of the repository's root, as the build put it into the binary.
#pragma once

#include <string_view>

namespace wake::gateway::rest {
std::string_view openapi_text();
}
