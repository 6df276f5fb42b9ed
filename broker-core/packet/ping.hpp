// PINGREQ and PINGRESP: v5 §3.12, §3.13. Two bytes each, the same in all versions.
#pragma once

#include <vector>

#include "broker-core/packet/frame.hpp"

namespace wake::broker {

struct Pingreq {};
struct Pingresp {};

Parsed<Pingreq> parse_pingreq(const Frame& frame);
Parsed<Pingresp> parse_pingresp(const Frame& frame);
void write(const Pingreq& pingreq, Version version, std::vector<std::byte>& out);
void write(const Pingresp& pingresp, Version version, std::vector<std::byte>& out);

}  // namespace wake::broker
