#include "tests/sim/scripted_headers.hpp"

#include <cstdlib>

#include "tests/sim/encoding.hpp"

namespace wake::sim {
namespace {

constexpr std::string_view kDate = "date:";

std::string retry_after_text(const std::string& wanted, Time now) {
  if (!wanted.starts_with(kDate)) return wanted;
  return http_date(now + std::chrono::seconds(std::strtol(wanted.c_str() + kDate.size(), nullptr, 10)));
}

void set(Headers& headers, const std::string& name, std::string value) {
  std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  headers.emplace_back(name, std::move(value));
}

}  // namespace

void add_scripted_headers(Reply& reply, const Answer& answer, Time now) {
  if (answer.raw_body) {
    reply.body = *answer.raw_body;
    set(reply.headers, "content-type", answer.content_type.empty() ? "text/html" : answer.content_type);
  }
  if (!answer.retry_after.empty())
    set(reply.headers, "retry-after", retry_after_text(answer.retry_after, now));
  for (const auto& [name, value] : answer.headers) set(reply.headers, name, value);
}

}  // namespace wake::sim
