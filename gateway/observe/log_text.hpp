// How a log line's own part is written, in both formats. Pure.
#pragma once

#include <string>
#include <string_view>

namespace wake::gateway {

/// `"event":"a.b","text":"…"`: the inside of a JSON object. Bytes that are no UTF-8 are replaced.
std::string json_fields(std::string_view event, std::string_view text);
/// `event=a.b …`; control characters as \n, \x1b and so on: one event is one line.
std::string text_fields(std::string_view event, std::string_view text);

}  // namespace wake::gateway
