// Templates of a push policy: {{payload.a.b}}, {{payload}}, {{topic[4]}}, {{topic}}, {{device.name}},
// {{device.id}}, {{title}} (contract §8, §10). Total: a missing value renders empty, a brace that closes
// nothing stays as it is.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "broker-core/delivery/records.hpp"
#include "broker-core/persist.hpp"

namespace wake::push {

/// A larger payload is not searched for {{payload.x}}: parsing it would hold up everybody else's push.
inline constexpr std::size_t kMaxSearchedPayload = 256 * 1024;
/// What a template may grow to before it is cut; far above what any push can carry.
inline constexpr std::size_t kMaxRendered = 16 * 1024;

/// Renders any number of templates about one message; the payload is parsed at most once, and only when asked
/// for. Holds references: use it while message and entry live. Thread: one.
class TemplateRenderer {
 public:
  TemplateRenderer(const broker::MessageRecord& message, const broker::EntryRecord* entry);
  ~TemplateRenderer();
  TemplateRenderer(const TemplateRenderer&) = delete;
  TemplateRenderer& operator=(const TemplateRenderer&) = delete;

  std::string render(std::string_view source);

 private:
  struct ParsedPayload;
  void append_value(std::string& out, std::string_view name);
  void append_payload_value(std::string& out, std::string_view path);

  const broker::MessageRecord& message_;
  const broker::EntryRecord* entry_;
  std::unique_ptr<ParsedPayload> payload_;  // null until asked for
};

}  // namespace wake::push
