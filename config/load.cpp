#include "config/load.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "config/check.hpp"
#include "config/keys.hpp"
#include "config/setting.hpp"

namespace wake::config {
namespace {

constexpr std::string_view kFileSuffix = "_file";
constexpr std::uintmax_t kMaxSecretBytes = 64 * 1024;

/// Where each key was written, so that check.hpp's findings name a line.
using Places = std::map<std::string, std::string>;

class Loader {
 public:
  explicit Loader(Loaded& loaded) : loaded_(loaded) {}

  /// One source: a later source replaces what an earlier one said, also of a key and its _file.
  void apply(Settings settings) {
    seen_.clear();
    start_arrays(settings);
    for (Problem& problem : settings.problems) loaded_.problems.push_back(std::move(problem));
    for (const Setting& setting : settings.written) apply(setting);
  }

  /// The environment may number elements with a gap; the missing one would be served with defaults nobody
  /// wrote.
  void refuse_gaps() {
    for (const std::string& section : started_) {
      for (std::size_t i = 0; i < element_count(loaded_.config, section); ++i) {
        const std::string path = path_of(section, i, "");
        const auto written = places_.lower_bound(path);
        if (written != places_.end() && written->first.starts_with(path)) continue;
        loaded_.problems.push_back(
            {"", path, "expected elements numbered from 0 without a gap: this one is missing"});
      }
    }
  }

  const Places& places() const { return places_; }

 private:
  void start_arrays(const Settings& settings) {
    for (const Setting& setting : settings.written) {
      const SectionInfo* info = find_section(setting.section);
      if (!info->is_array) continue;
      if (started_.insert(setting.section).second) clear_elements(loaded_.config, setting.section);
      grow_elements(loaded_.config, setting.section, setting.index + 1);
    }
  }

  void apply(const Setting& setting) {
    const std::string path = path_of(setting.section, setting.index, setting.key);
    places_[path] = setting.where;
    if (setting.key.empty()) return;
    if (const Key* key = find_key(setting.section, setting.key)) return read(*key, setting, setting.value);
    if (const Key* key = find_secret(setting)) return read_from_file(*key, setting);
    refuse(setting, "unknown key; " + expected_keys(setting.section));
  }

  static const Key* find_secret(const Setting& setting) {
    if (!setting.key.ends_with(kFileSuffix)) return nullptr;
    const std::string name = setting.key.substr(0, setting.key.size() - kFileSuffix.size());
    const Key* key = find_key(setting.section, name);
    return key != nullptr && key->is_secret ? key : nullptr;
  }

  void read(const Key& key, const Setting& setting, const Value& value) {
    const std::string path = path_of(setting.section, setting.index, key.name);
    if (!seen_.insert(path).second) {
      return refuse(setting, "expected either " + std::string(key.name) + " or " + std::string(key.name) +
                                 "_file, not both");
    }
    places_[path] = setting.where;
    if (key.field.read(loaded_.config, setting.index, value)) return;
    refuse(setting, "expected " + key.field.expected + (key.is_secret ? "" : ", not " + describe(value)));
  }

  void read_from_file(const Key& key, const Setting& setting) {
    const auto file = as_text(setting.value);
    if (!file) return refuse(setting, "expected the path of a file that holds " + key.field.expected);
    std::error_code error;
    std::ifstream in(*file, std::ios::binary);
    if (!in || !std::filesystem::is_regular_file(*file, error) ||
        std::filesystem::file_size(*file, error) > kMaxSecretBytes) {
      return refuse(setting, "expected a readable file of at most 64KiB, not " + quoted_toml(*file));
    }
    std::string text(std::istreambuf_iterator<char>(in), {});
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    read(key, setting, Bare{std::move(text)});
  }

  void refuse(const Setting& setting, std::string message) {
    loaded_.problems.push_back(
        {setting.where, path_of(setting.section, setting.index, setting.key), std::move(message)});
  }

  Loaded& loaded_;
  Places places_;
  std::set<std::string> started_;  // array sections whose defaults are gone
  std::set<std::string> seen_;     // in this source
};

std::string place_of(const Places& places, const Finding& finding, const std::string& file) {
  for (const std::string& name : {finding.key, std::string()}) {
    const auto place = places.find(path_of(finding.section, finding.index, name));
    if (place != places.end()) return place->second;
  }
  return file;
}

std::string default_file() {
  for (const char* file : {"config/wakemq.toml", "/etc/wakemq/wakemq.toml"}) {
    std::error_code error;
    if (std::filesystem::exists(file, error)) return file;
  }
  return {};
}

}  // namespace

std::string expected_sections() {
  std::string list = "expected one of ";
  for (const SectionInfo& info : sections()) {
    if (&info != sections().data()) list += ", ";
    list.append(info.is_array ? "[[" : "[").append(info.name).append(info.is_array ? "]]" : "]");
  }
  return list;
}

std::string expected_keys(std::string_view section) {
  std::string list;
  for (const Key& key : keys()) {
    if (key.section != section) continue;
    list.append(list.empty() ? "expected one of " : ", ").append(key.name);
    if (key.is_secret) list.append(", ").append(key.name).append(kFileSuffix);
  }
  return list;
}

std::string Problem::text() const {
  std::string out = where;
  for (const std::string& part : {key, message}) {
    if (!part.empty()) out.append(out.empty() ? "" : ": ").append(part);
  }
  return out;
}

Loaded load(const std::optional<std::string>& file, const Environment& environment) {
  Loaded loaded;
  Loader loader(loaded);
  loaded.config.file = file ? *file : default_file();
  if (!loaded.config.file.empty()) loader.apply(read_toml(loaded.config.file));
  loader.apply(read_environment(environment));
  loader.refuse_gaps();
  for (const Finding& finding : check(loaded.config)) {
    const std::string path = path_of(finding.section, finding.index, finding.key);
    const auto is_told = [&](const Problem& problem) { return problem.key == path; };
    if (std::ranges::any_of(loaded.problems, is_told)) continue;
    loaded.problems.push_back(
        {place_of(loader.places(), finding, loaded.config.file), path, finding.message});
  }
  return loaded;
}

std::vector<std::string> needs_restart(const Config& running, const Config& wanted) {
  std::vector<std::string> changed;
  for (const SectionInfo& info : sections()) {
    const std::size_t count = element_count(running, info.name);
    if (count != element_count(wanted, info.name)) {
      if (info.needs_restart) changed.emplace_back(info.name);
      continue;
    }
    for (const Key& key : keys()) {
      if (key.section != info.name || !key.needs_restart) continue;
      for (std::size_t i = 0; i < count; ++i) {
        if (key.field.print(running, i) != key.field.print(wanted, i))
          changed.push_back(path_of(info.name, i, key.name));
      }
    }
  }
  return changed;
}

std::vector<std::string> unused_keys(const Config& config) {
  std::vector<std::string> unused;
  const auto note = [&](const std::string& value, const char* key) {
    if (!value.empty()) unused.emplace_back(key);
  };
  note(config.cluster.nats_url, "cluster.nats_url");
  return unused;
}

}  // namespace wake::config
