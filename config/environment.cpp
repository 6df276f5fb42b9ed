// Environment -> settings. A variable's name is matched against the names that the key table makes.
#include <cctype>
#include <charconv>
#include <optional>

#include <unistd.h>

#include "config/keys.hpp"
#include "config/setting.hpp"

namespace wake::config {
namespace {

constexpr std::string_view kPrefix = "WAKEMQ_";
// More would be a slip of the keyboard, and each index below it becomes an element.
constexpr std::size_t kMaxElements = 1000;

std::string upper(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string lower(std::string_view name) {
  std::string out;
  for (const char c : name) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Takes "<digits>_" off the front.
std::optional<std::size_t> take_index(std::string_view& rest) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc{} || index >= kMaxElements || !rest.substr(digits).starts_with('_'))
    return std::nullopt;
  rest.remove_prefix(digits + 1);
  return index;
}

/// Kubernetes sets WAKEMQ_SERVICE_HOST, WAKEMQ_MQTT_PORT_1883_TCP_ADDR ... in every pod when a service is
/// called wakemq or wakemq-mqtt; Docker's links do alike.
bool is_service_variable(std::string_view name) {
  const std::string slashed = "_" + std::string(name);
  return slashed.ends_with("_SERVICE_HOST") || slashed.find("_SERVICE_PORT") != std::string::npos ||
         slashed.ends_with("_PORT") || slashed.find("_TCP") != std::string::npos ||
         slashed.find("_UDP") != std::string::npos;
}

std::optional<Setting> match(const std::string& variable, const std::string& text) {
  for (const SectionInfo& info : sections()) {
    std::string_view rest = std::string_view(variable).substr(kPrefix.size());
    const std::string head = upper(info.name) + "_";
    if (!rest.starts_with(head)) continue;
    rest.remove_prefix(head.size());
    std::optional<std::size_t> index = 0;
    if (info.is_array) index = take_index(rest);
    if (!index) return std::nullopt;
    return Setting{variable, std::string(info.name), *index, lower(rest), Bare{text}};
  }
  return std::nullopt;
}

}  // namespace

Environment process_environment() {
  Environment ours;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const std::size_t equals = pair.find('=');
    if (!pair.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    ours.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return ours;
}

Settings read_environment(const Environment& environment) {
  Settings settings;
  for (const auto& [variable, text] : environment) {
    if (!variable.starts_with(kPrefix)) continue;
    if (auto setting = match(variable, text)) {
      settings.written.push_back(std::move(*setting));
    } else if (!is_service_variable(std::string_view(variable).substr(kPrefix.size()))) {
      settings.problems.push_back({variable, "",
                                   "names no key; expected WAKEMQ_<SECTION>_<KEY>, with a number from 0 "
                                   "after LISTENER, PUSH_APP or BRIDGE"});
    }
  }
  return settings;
}

}  // namespace wake::config
