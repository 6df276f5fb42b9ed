// Is one topic filter at least as wide as another? Permission to subscribe is this question.
#pragma once

#include <string_view>

namespace wake::broker {

/// True when every topic that `narrower` matches is matched by `wider`. Both are valid filters without a
/// $share prefix. A topic name is a filter that matches itself, so covers(filter, topic) says whether the
/// filter matches the topic, the $-rule included (v3.1.1 §4.7.2: a leading wildcard does not match a leading
/// $).
bool covers(std::string_view wider, std::string_view narrower);

}  // namespace wake::broker
