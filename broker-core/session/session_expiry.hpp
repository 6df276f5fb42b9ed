// The one value of the Session Expiry Interval with a meaning of its own (v5 §3.1.2.11.2).
#pragma once

#include <cstdint>

namespace wake::broker {

/// The session outlives its connection for ever. Seconds otherwise; 0: it ends with its connection.
inline constexpr std::uint32_t kNeverExpires = 0xFFFFFFFF;

}  // namespace wake::broker
