#include "config/example.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/keys.hpp"
#include "config/setting.hpp"
#include "written_file.hpp"

namespace wake::config {
namespace {

/// The configuration folder of the checkout.
std::string source_file(const std::string& name) {
  return (std::filesystem::path(WAKE_CONFIG_DIR) / name).string();
}

TEST(ExampleFile, IsWhatTheTableOfKeysPrints) {
  std::ifstream in(source_file("wakemq.toml"));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(text, example_file())
      << "print it anew: build/wakemq check-config --example > config/wakemq.toml";
}

TEST(ExampleFile, MayBeServedAsItIs) {
  const Loaded loaded = load(source_file("wakemq.toml"), {});
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(needs_restart(Config{}, loaded.config).empty()) << "everything in it is commented out";
}

TEST(ExampleFile, ShowsEveryKeyWithAValueThatItTakes) {
  const std::string uncommented = std::regex_replace(example_file(), std::regex("(^|\n)#(?! |\n)"), "$1");
  const WrittenFile file(uncommented);
  const Settings settings = read_toml(file.path());
  EXPECT_TRUE(settings.problems.empty());
  Config config;
  grow_elements(config, "push.app", 1);
  grow_elements(config, "bridge", 1);
  std::size_t key_count = 0;
  for (const Setting& setting : settings.written) {
    if (setting.key.empty()) continue;
    const Key* key = find_key(setting.section, setting.key);
    ASSERT_NE(key, nullptr) << setting.key;
    EXPECT_TRUE(key->field.read(config, setting.index, setting.value)) << setting.key;
    ++key_count;
  }
  EXPECT_EQ(key_count, keys().size());
}

TEST(MinimalFile, MayBeServed) {
  const Loaded loaded = load(source_file("wakemq.minimal.toml"), {});
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.text();
}

TEST(Keys, AreEachOfAKnownSectionAndNamedOnce) {
  std::set<std::string> variables;
  for (const Key& key : keys()) {
    EXPECT_NE(find_section(key.section), nullptr) << key.section;
    EXPECT_TRUE(variables.insert(variable_of(key)).second) << variable_of(key);
    EXPECT_FALSE(key.prose.empty()) << key.name;
  }
}

TEST(Keys, AreFoundByTheNameThatTheEnvironmentGivesThem) {
  for (const Key& key : keys()) {
    const Settings settings = read_environment({{variable_of(key, "3"), "x"}});
    ASSERT_EQ(settings.written.size(), 1u) << variable_of(key);
    EXPECT_EQ(settings.written[0].section, key.section);
    EXPECT_EQ(settings.written[0].key, key.name);
    EXPECT_EQ(settings.written[0].index, find_section(key.section)->is_array ? 3u : 0u);
  }
}

TEST(Help, NamesEveryKey) {
  const std::string text = help_text();
  for (const Key& key : keys()) {
    EXPECT_THAT(text, testing::HasSubstr("\n  " + std::string(key.name) + " = ")) << key.section;
  }
}

}  // namespace
}  // namespace wake::config
