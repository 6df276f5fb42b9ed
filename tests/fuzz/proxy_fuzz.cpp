// A PROXY header: whatever comes, the answer keeps its promises, and what is waited for is never more than a
// header may have.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gateway/listen/proxy_header.hpp"

namespace {

using namespace wake::gateway;

void require(bool is_true) {
  if (!is_true) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
  const ProxyResult result = parse_proxy_header(input);
  if (const auto* more = std::get_if<ProxyNeedsMore>(&result)) {
    require(more->bytes >= 1 && size + more->bytes <= kMaxProxyHeader);
  }
  if (const auto* header = std::get_if<ProxyHeader>(&result)) {
    require(header->bytes >= 15 && header->bytes <= size && header->bytes <= kMaxProxyHeader);
    // Every shorter piece of a header waits for it, and takes nothing of what is behind it.
    for (std::size_t part = 0; part < header->bytes; ++part) {
      const ProxyResult partial = parse_proxy_header(input.first(part));
      const auto* more = std::get_if<ProxyNeedsMore>(&partial);
      require(more != nullptr && part + more->bytes <= header->bytes);
    }
  }
  if (const auto* refusal = std::get_if<ProxyRefusal>(&result)) {
    const ProxyResult longer = parse_proxy_header(input);
    require(std::holds_alternative<ProxyRefusal>(longer) && refusal->why[0] != '\0');
  }
  return 0;
}
