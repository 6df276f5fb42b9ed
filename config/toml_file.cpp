// TOML -> settings. Knows the shape of the file (sections, arrays of tables), not the keys.
#include <algorithm>
#include <filesystem>

#include <toml++/toml.h>

#include "config/keys.hpp"
#include "config/setting.hpp"

namespace wake::config {
namespace {

Value to_list(const toml::array& array) {
  TextList list;
  for (const toml::node& element : array) {
    const auto* text = element.as_string();
    if (text == nullptr) return Unusable{"a list of something else than strings"};
    list.push_back(text->get());
  }
  return list;
}

Value to_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) return to_list(*array);
  if (node.is_table()) return Unusable{"a table"};
  return Unusable{node.is_floating_point() ? "a number with a fraction" : "a date or time"};
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Settings read(const toml::table& root) {
    read_tree(root, "");
    // toml++ sorts tables by name; people read problems by line.
    std::ranges::stable_sort(written_, {}, &Placed::line);
    for (Placed& placed : written_) settings_.written.push_back(std::move(placed.setting));
    return std::move(settings_);
  }

 private:
  struct Placed {
    std::uint32_t line;
    Setting setting;
  };

  std::string where(const toml::node& node) const {
    return file_ + ":" + std::to_string(node.source().begin.line);
  }

  void read_tree(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string path = prefix + std::string(name.str());
      const auto starts_with_path = [&](const SectionInfo& info) {
        return info.name.starts_with(path + ".");
      };
      if (const SectionInfo* info = find_section(path)) {
        read_section(*info, node);
      } else if (node.is_table() && std::ranges::any_of(sections(), starts_with_path)) {
        read_tree(*node.as_table(), path + ".");
      } else {
        const bool is_section = node.is_table() || node.is_array_of_tables();
        settings_.problems.push_back(
            {where(node), path,
             (is_section ? "unknown section; " : "no key may stand here; ") + expected_sections()});
      }
    }
  }

  void read_section(const SectionInfo& info, const toml::node& node) {
    const std::string name(info.name);
    if (!info.is_array && node.is_table()) return read_element(name, 0, *node.as_table());
    if (info.is_array && node.is_array_of_tables()) {
      std::size_t index = 0;
      for (const toml::node& element : *node.as_array()) read_element(name, index++, *element.as_table());
      return;
    }
    const std::string header = info.is_array ? "[[" + name + "]]" : "[" + name + "]";
    settings_.problems.push_back({where(node), name, "expected a section that begins with " + header});
  }

  void read_element(const std::string& section, std::size_t index, const toml::table& table) {
    written_.push_back({table.source().begin.line, {where(table), section, index, "", Unusable{"a table"}}});
    for (const auto& [name, node] : table) {
      written_.push_back(
          {node.source().begin.line, {where(node), section, index, std::string(name.str()), to_value(node)}});
    }
  }

  const std::string& file_;
  std::vector<Placed> written_;
  Settings settings_;
};

}  // namespace

Settings read_toml(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return {.written = {}, .problems = {{file, "", "expected a file, not a directory"}}};
  try {
    return Reader(file).read(toml::parse_file(file));
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    const std::string where = line == 0 ? file : file + ":" + std::to_string(line);
    return {.written = {},
            .problems = {{where, "", "expected a readable TOML file: " + std::string(error.description())}}};
  }
}

}  // namespace wake::config
