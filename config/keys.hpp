// The one table of configuration keys. Reading a file, reading the environment, the example file, --help and
// the list of what needs a restart are all made from it; a key is added here and in the struct it fills,
// nowhere else.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/field.hpp"

namespace wake::config {

struct SectionInfo {
  std::string_view name;  // as in the file: "limits", "push.app"
  bool is_array = false;  // [[name]], any number of them
  std::string_view prose;
  bool needs_restart = true;  // of an array: a change of the number of elements
};

struct Key {
  std::string_view section;
  std::string_view name;
  Field field;
  std::string_view prose;
  std::string_view example = {};  // a TOML literal; empty: the default
  bool needs_restart = true;      // else SIGHUP is enough
  bool is_secret = false;         // never shown; `<name>_file` reads it from a file
};

/// In the order of the example file.
std::span<const SectionInfo> sections();
/// Grouped by section, in the same order.
std::span<const Key> keys();

const SectionInfo* find_section(std::string_view name);
const Key* find_key(std::string_view section, std::string_view name);

/// How many elements an array section has; 1 for any other.
std::size_t element_count(const Config& config, std::string_view section);
/// Empties an array section, which has defaults until the first element is configured.
void clear_elements(Config& config, std::string_view section);
/// Adds elements until there are `count`.
void grow_elements(Config& config, std::string_view section, std::size_t count);

/// "limits.max_packet", "listener[0].address"; for messages.
std::string path_of(std::string_view section, std::size_t index, std::string_view name);
/// "WAKEMQ_LIMITS_MAX_PACKET", "WAKEMQ_LISTENER_<n>_ADDRESS" with n as given.
std::string variable_of(const Key& key, std::string_view n = "0");

}  // namespace wake::config
