// The table of keys as text for people: the example file and the help page.
#pragma once

#include <string>

namespace wake::config {

/// config/wakemq.toml: every key with its prose, commented out at its default. A test compares the file with
/// this.
std::string example_file();

/// For `wakemq serve --help`: every key on a line with its default, and how the environment names it.
std::string help_text();

}  // namespace wake::config
