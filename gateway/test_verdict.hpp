// What POST …/phones/{id}/test tells of a provider's answer: its own words, and what to do about them.
#pragma once

#include "broker-core/delivery/records.hpp"
#include "gateway/port.hpp"
#include "push/dispatcher.hpp"

namespace wake::gateway {

/// `platform` is the phone's.
TestVerdict to_verdict(const push::TestResult& result, broker::Platform platform);

}  // namespace wake::gateway
