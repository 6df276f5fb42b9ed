#include "config/example.hpp"

#include <string_view>

#include "config/keys.hpp"

namespace wake::config {
namespace {

constexpr std::size_t kWidth = 100;

/// Breaks prose at blanks; each line begins with `prefix`.
std::string wrapped(std::string_view prose, const std::string& prefix) {
  std::string out;
  while (!prose.empty()) {
    const std::size_t room = kWidth - prefix.size();
    std::size_t end = prose.size();
    if (end > room) end = prose.rfind(' ', room);
    out.append(prefix).append(prose.substr(0, end)).append("\n");
    prose.remove_prefix(std::min(prose.size(), end + 1));
  }
  return out;
}

/// Defaults, with one element in each array section to print from.
Config defaults() {
  Config config;
  for (const SectionInfo& info : sections()) {
    if (!info.is_array) continue;
    clear_elements(config, info.name);
    grow_elements(config, info.name, 1);
  }
  return config;
}

std::string literal(const Key& key) {
  return key.example.empty() ? key.field.print(defaults(), 0) : std::string(key.example);
}

std::string header(const SectionInfo& info) {
  const std::string name(info.name);
  return info.is_array ? "[[" + name + "]]" : "[" + name + "]";
}

}  // namespace

std::string example_file() {
  std::string out =
      "# WakeMQ's configuration: every key, commented out. What is not set has the value shown here (in "
      "[[...]]\n"
      "# sections: an example). Printed by `wakemq check-config --example`; wakemq.minimal.toml is a short "
      "one to\n"
      "# start from. `wakemq check-config` tells what is wrong with a file.\n"
      "#\n"
      "# The environment wins over this file: WAKEMQ_LIMITS_MAX_PACKET, WAKEMQ_LISTENER_0_ADDRESS and so "
      "on.\n"
      "# Durations: \"2ms\" \"10s\" \"5m\" \"1h\" \"7d\". Sizes: \"64KiB\" \"1MiB\" \"1GiB\". (SIGHUP): "
      "taken up without a\n"
      "# restart. (secret): never logged; `<key>_file` names a file that holds it.\n";
  for (const SectionInfo& info : sections()) {
    out.append("\n").append(wrapped(info.prose, "# "));
    out.append(info.is_array ? "#" : "").append(header(info)).append("\n");
    for (const Key& key : keys()) {
      if (key.section != info.name) continue;
      std::string prose(key.prose);
      if (!key.needs_restart) prose += " (SIGHUP)";
      if (key.is_secret) prose += " (secret)";
      out.append(wrapped(prose, "# "))
          .append("#")
          .append(key.name)
          .append(" = ")
          .append(literal(key))
          .append("\n");
    }
  }
  return out;
}

std::string help_text() {
  std::string out =
      "Configuration (TOML; without --config: config/wakemq.toml, then /etc/wakemq/wakemq.toml). Each key is "
      "also\n"
      "read from the environment: [limits] max_packet is WAKEMQ_LIMITS_MAX_PACKET, the first [[listener]]'s "
      "address\n"
      "WAKEMQ_LISTENER_0_ADDRESS. Shown: default, or in [[...]] an example.\n";
  for (const SectionInfo& info : sections()) {
    out.append("\n").append(header(info)).append("\n").append(wrapped(info.prose, "  "));
    for (const Key& key : keys()) {
      if (key.section != info.name) continue;
      out.append("  ").append(key.name).append(" = ").append(literal(key)).append("\n");
      out.append(wrapped(key.prose, "      "));
      out.append(wrapped("Takes " + key.field.expected + ".", "      "));
    }
  }
  return out;
}

}  // namespace wake::config
