#include "push/retry_policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace wake::push {
namespace {

using std::chrono::seconds;

constexpr seconds kApnsSteps[] = {seconds{5}, seconds{20}, seconds{60}, seconds{300}, seconds{900}};
constexpr seconds kFcmFloor{10};
constexpr seconds kFcmCap{900};
constexpr seconds kDay{24 * 3600};
constexpr double kJitter = 0.2;

double base_delay_s(broker::Platform platform, int attempt_count) {
  const int step = std::max(attempt_count, 1) - 1;
  if (platform == broker::Platform::Apns) {
    const int last = static_cast<int>(std::size(kApnsSteps)) - 1;
    return static_cast<double>(kApnsSteps[std::min(step, last)].count());
  }
  return static_cast<double>(std::min(kFcmFloor * (1 << std::min(step, 10)), kFcmCap).count());
}

// "Sun, 06 Nov 1994 08:49:37 GMT"; the two obsolete forms of RFC 9110 §5.6.7 are not sent by either provider.
std::optional<broker::UtcTime> parse_http_date(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  char month[4] = {};
  const int fields = std::sscanf(text.c_str(), "%*3s, %2u %3s %4d %2d:%2d:%2d GMT", &day, month, &year, &hour,
                                 &minute, &second);
  const auto found = std::find(kMonths.begin(), kMonths.end(), std::string_view(month));
  if (fields != 6 || found == kMonths.end()) return std::nullopt;
  const auto month_number = static_cast<unsigned>(found - kMonths.begin() + 1);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month_number},
                                         std::chrono::day{day}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         seconds{second};
}

}  // namespace

std::optional<broker::UtcTime> next_retry_at(const RetryQuestion& question) {
  const double base = base_delay_s(question.platform, question.attempt_count);
  const double shift =
      question.platform == broker::Platform::Apns ? 2 * question.random - 1 : question.random;
  double delay_s = base * (1 + kJitter * shift);
  if (question.retry_after) delay_s = std::max(delay_s, static_cast<double>(question.retry_after->count()));
  const auto due = question.now + std::chrono::microseconds{static_cast<std::int64_t>(delay_s * 1e6)};
  if (due >= question.expires_at) return std::nullopt;
  return due;
}

seconds phone_hold(int step, std::optional<seconds> retry_after) {
  const seconds doubled = std::min(kFirstPhoneHold * (1 << std::clamp(step, 0, 10)), kLongestPhoneHold);
  return retry_after ? std::max(doubled, *retry_after) : doubled;
}

std::optional<seconds> parse_retry_after(std::string_view value, broker::UtcTime now) {
  if (value.empty() || value.size() > 64) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc{} && end == value.data() + value.size()) {
    if (number < 0) return std::nullopt;
    return std::min(seconds{number}, kDay);
  }
  const auto date = parse_http_date(std::string(value));
  if (!date) return std::nullopt;
  const auto wait = std::chrono::ceil<seconds>(*date - now);
  return std::clamp(wait, seconds{0}, kDay);
}

}  // namespace wake::push
