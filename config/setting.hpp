// One value as somebody wrote it, and where: what the two readers (file, environment) hand to load.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/value.hpp"

namespace wake::config {

struct Setting {
  std::string where;      // "wakemq.toml:12" or the variable's name
  std::string section;    // "push.app"
  std::size_t index = 0;  // of the element in an array section
  std::string key;        // empty: the element itself, as an empty [[listener]]
  Value value;
};

struct Settings {
  std::vector<Setting> written;   // in the order written; keys are not looked up yet
  std::vector<Problem> problems;  // syntax, unknown sections
};

/// Reads a TOML file. A file that cannot be read is one problem.
Settings read_toml(const std::string& file);

/// Reads WAKEMQ_<SECTION>_<KEY>. Variables of the section that name no key are problems; what Kubernetes and
/// Docker links set for a service called wakemq (WAKEMQ_SERVICE_HOST, WAKEMQ_PORT_1883_TCP ...) is passed
/// over.
Settings read_environment(const Environment& environment);

/// "expected one of [listener], [database] …"
std::string expected_sections();
/// "expected one of url, url_file, pool"
std::string expected_keys(std::string_view section);

}  // namespace wake::config
