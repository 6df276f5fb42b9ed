#include "config/value.hpp"

#include <array>
#include <charconv>
#include <span>

namespace wake::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// Largest first: printing takes the first that divides.
constexpr std::array kDurations{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kSizes{Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10}, Unit{"B", 1}};
constexpr std::int64_t kMaxDuration = 100 * 366 * kDurations[0].factor;
constexpr std::int64_t kMaxSize = std::int64_t{1} << 53;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> parse_amount(std::string_view text, std::span<const Unit> units,
                                         std::int64_t max) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  if (unit.empty() && *number == 0) return 0;
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (*number > max / known.factor) return std::nullopt;
    return *number * known.factor;
  }
  return std::nullopt;
}

std::string amount_text(std::int64_t amount, std::span<const Unit> units, std::string_view zero) {
  if (amount == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (amount % unit.factor == 0) return std::to_string(amount / unit.factor).append(unit.name);
  }
  return std::to_string(amount);
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

}  // namespace

std::string describe(const Value& value) {
  if (std::holds_alternative<std::vector<std::string>>(value)) return "a list";
  if (const auto* unusable = std::get_if<Unusable>(&value)) return unusable->kind;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return quoted_toml(*as_text(value));
}

std::optional<bool> as_bool(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* bare = std::get_if<Bare>(&value)) {
    if (bare->text == "true") return true;
    if (bare->text == "false") return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* bare = std::get_if<Bare>(&value)) return parse_integer(bare->text);
  return std::nullopt;
}

std::optional<std::string> as_text(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* bare = std::get_if<Bare>(&value)) return bare->text;
  return std::nullopt;
}

std::optional<TextList> as_text_list(const Value& value) {
  if (const auto* list = std::get_if<TextList>(&value)) return *list;
  const auto* bare = std::get_if<Bare>(&value);
  if (!bare) return std::nullopt;
  TextList list;
  for (std::string_view rest = bare->text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    if (std::string item = trimmed(rest.substr(0, end)); !item.empty()) list.push_back(std::move(item));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

std::optional<std::chrono::milliseconds> as_duration(const Value& value) {
  const auto text = as_text(value);
  const auto amount = text ? parse_amount(*text, kDurations, kMaxDuration) : std::nullopt;
  if (!amount) return std::nullopt;
  return std::chrono::milliseconds(*amount);
}

std::optional<std::int64_t> as_size(const Value& value) {
  const auto number = as_integer(value);
  if (number) return *number >= 0 && *number <= kMaxSize ? number : std::nullopt;
  const auto text = as_text(value);
  return text ? parse_amount(*text, kSizes, kMaxSize) : std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
  return amount_text(duration.count(), kDurations, "0s");
}

std::string size_text(std::int64_t bytes) { return amount_text(bytes, kSizes, "0B"); }

std::string list_toml(const TextList& list) {
  std::string out = "[";
  for (const std::string& text : list) out.append(out.size() > 1 ? ", " : "").append(quoted_toml(text));
  return out + "]";
}

std::string quoted_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (is_control) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\u00") += kHex[byte >> 4];
      out += kHex[byte & 0xf];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace wake::config
