// [[bridge]]: how it is read, and what is said of a wrong one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.hpp"
#include "config/load.hpp"
#include "written_file.hpp"

namespace wake::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

BridgeOptions bridge() {
  BridgeOptions bridge;
  bridge.name = "far";
  bridge.address = "broker.example.com:1883";
  bridge.topics = {"# out 1"};
  return bridge;
}

/// The keys that are found fault with.
std::vector<std::string> faults(const std::vector<BridgeOptions>& bridges) {
  Config config;
  config.bridges = bridges;
  std::vector<std::string> out;
  for (const Finding& finding : check(config)) {
    EXPECT_EQ(finding.section, "bridge");
    out.push_back(finding.key);
  }
  return out;
}

template <class Change>
std::vector<std::string> faults_with(Change change) {
  BridgeOptions changed = bridge();
  change(changed);
  return faults({changed});
}

TEST(BridgeFile, IsReadWithEveryKey) {
  const WrittenFile secret("s3cret\n");
  const WrittenFile file(
      "[[bridge]]\nname = \"far\"\nprotocol = \"mqtt\"\naddress = \"[::1]:1883\"\n"
      "version = \"3.1.1\"\nclient_id = \"me\"\nusername = \"u\"\npassword_file = \"" +
      secret.path() +
      "\"\ntopics = [\"a/# out 1\", \"b in 2 x/ y/\"]\nkeep_alive = \"30s\"\n"
      "clean_start = true\ntry_private = false\n");
  const Loaded loaded = load(file.path(), {});
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.text();
  ASSERT_EQ(loaded.config.bridges.size(), 1u);
  const BridgeOptions& read = loaded.config.bridges[0];
  EXPECT_EQ(read.version, broker::Version::V311);
  EXPECT_EQ(read.password, "s3cret");
  EXPECT_THAT(read.topics, ElementsAre("a/# out 1", "b in 2 x/ y/"));
  EXPECT_EQ(read.keep_alive, std::chrono::seconds(30));
  EXPECT_TRUE(read.clean_start);
  EXPECT_FALSE(read.try_private);
  const auto topics = topics_of(read);
  ASSERT_EQ(topics.size(), 2u);
  EXPECT_EQ(topics[1].remote_filter(), "y/b");
}

TEST(BridgeFile, MayComeFromTheEnvironment) {
  const Loaded loaded = load(std::nullopt, {{"WAKEMQ_BRIDGE_0_NAME", "far"},
                                            {"WAKEMQ_BRIDGE_0_ADDRESS", "h:1883"},
                                            {"WAKEMQ_BRIDGE_0_TOPICS", "a/# out 1; b in 2 ;"}});
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.text();
  ASSERT_EQ(loaded.config.bridges.size(), 1u);
  EXPECT_THAT(loaded.config.bridges[0].topics, ElementsAre("a/# out 1", "b in 2"));
}

TEST(BridgeFile, NamesTheLineAndWhatWasExpected) {
  const WrittenFile file(
      "[[bridge]]\nname = \"far\"\naddress = \"h:1883\"\ntopics = [\"# up\"]\n"
      "[[bridge]]\nname = \"two\"\naddress = \"h:1883\"\ntopics = \"# out\"\n"
      "[[bridge]]\nname = \"three\"\naddress = \"h:1883\"\ntopics = [1]\nversion = \"4\"\n");
  std::vector<std::string> told;
  for (const Problem& problem : load(file.path(), {}).problems) told.push_back(problem.text());
  EXPECT_THAT(told, testing::Contains(HasSubstr(
                        ":4: bridge[0].topics: expected out, in or both, not \"up\", in the line \"# up\"")));
  EXPECT_THAT(told, testing::Contains(HasSubstr(":8: bridge[1].topics: expected a list of lines")));
  EXPECT_THAT(told, testing::Contains(HasSubstr(":12: bridge[2].topics: expected a list of lines")));
  EXPECT_THAT(told, testing::Contains(HasSubstr(":13: bridge[2].version: expected \"5.0\" or \"3.1.1\"")));
}

TEST(BridgeCheck, AcceptsWhatCanBeServed) {
  EXPECT_THAT(faults({bridge()}), IsEmpty());
  EXPECT_THAT(faults_with([](auto& b) { b.address = "unix:/run/mosquitto.sock"; }), IsEmpty());
  EXPECT_THAT(faults_with([](auto& b) { b.protocol = Protocol::Mqtts; }), IsEmpty());
}

TEST(BridgeCheck, RefusesWhatCannot) {
  for (const char* name : {"", "a b", "a/b", "+", "\xC3\xA9"}) {
    EXPECT_THAT(faults_with([&](auto& b) { b.name = name; }), ElementsAre("name")) << name;
  }
  EXPECT_THAT(faults({bridge(), bridge()}), ElementsAre("name"));
  for (const char* address : {"", "host", ":1883", "host:0", "host:99999", "http://host:1883"}) {
    EXPECT_THAT(faults_with([&](auto& b) { b.address = address; }), ElementsAre("address")) << address;
  }
  EXPECT_THAT(faults_with([](auto& b) { b.topics.clear(); }), ElementsAre("topics"));
  EXPECT_THAT(faults_with([](auto& b) { b.ca_file = "/none"; }), ElementsAre("protocol"));
  EXPECT_THAT(faults_with([](auto& b) {
                b.protocol = Protocol::Mqtts;
                b.ca_file = "/none";
              }),
              ElementsAre("ca_file"));
  EXPECT_THAT(faults_with([](auto& b) {
                b.protocol = Protocol::Mqtts;
                b.address = "unix:/run/mosquitto.sock";
              }),
              ElementsAre("address"));
  EXPECT_THAT(faults_with([](auto& b) {
                b.version = broker::Version::V311;
                b.password = "x";
              }),
              ElementsAre("username"));
}

}  // namespace
}  // namespace wake::config
