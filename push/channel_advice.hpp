// What the operator is told to do when a channel is down, by the provider's code, never by its text; and when
// a provider cannot be reached, by the words of our own side.
#pragma once

#include <string_view>

#include "broker-core/delivery/records.hpp"

namespace wake::push {

/// One phrase for the reason of a ChannelDown; a general one when the code is unknown.
std::string_view advice_for(broker::Platform platform, std::string_view reason);
/// One phrase for what Http2ClientEvents::on_http2_trouble or the token exchange said.
std::string_view advice_for_trouble(std::string_view why);

}  // namespace wake::push
