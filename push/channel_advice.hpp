// What the operator is told to do when a channel is down: by the provider's code, never by its text.
#pragma once

#include <string_view>

#include "broker-core/delivery/records.hpp"

namespace wake::push {

/// One phrase for the reason of a ChannelDown; a general one when the code is unknown.
std::string_view advice_for(broker::Platform platform, std::string_view reason);

}  // namespace wake::push
