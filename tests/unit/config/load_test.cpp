#include "config/load.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "written_file.hpp"

namespace wake::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.text());
  return out;
}

Loaded load_text(const std::string& toml, const Environment& environment = {}) {
  const WrittenFile file(toml);
  Loaded loaded = load(file.path(), environment);
  for (Problem& problem : loaded.problems) {
    if (problem.where.starts_with(file.path()))
      problem.where = "f" + problem.where.substr(file.path().size());
  }
  return loaded;
}

TEST(Load, ReadsEverySectionIntoItsStruct) {
  const Loaded loaded = load_text(R"(
[database]
url = "postgresql://db/wakemq"
pool = 9
[auth]
allow_anonymous = true
token_ttl = "2h"
[delivery]
ack_timeout = "1500ms"
inbox_ttl = "1d"
[limits]
max_packet = "2MiB"
max_queued_bytes = 8388608
max_keep_alive = "60s"
[cluster]
nats_url = "nats://n:4222"
[log]
level = "debug"
format = "json"
)");
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  const Config& config = loaded.config;
  EXPECT_EQ(config.database.url, "postgresql://db/wakemq");
  EXPECT_EQ(config.database.pool, 9);
  EXPECT_TRUE(config.auth.allow_anonymous);
  EXPECT_EQ(config.auth.token_ttl, seconds(7200));
  EXPECT_EQ(config.delivery.ack_timeout, milliseconds(1500));
  EXPECT_EQ(config.delivery.inbox_ttl, seconds(86'400));
  EXPECT_EQ(config.limits.max_packet_bytes, 2u << 20);
  EXPECT_EQ(config.limits.max_queued_bytes, 8u << 20);
  EXPECT_EQ(config.limits.max_keep_alive, seconds(60));
  EXPECT_EQ(config.cluster.nats_url, "nats://n:4222");
  EXPECT_EQ(config.log.level, LogThreshold::Debug);
  EXPECT_EQ(config.log.format, LogFormat::Json);
  EXPECT_EQ(config.limits.max_connections, 100'000u) << "what is not written keeps the struct's default";
}

TEST(Load, ListenersReplaceTheDefaultOnes) {
  EXPECT_EQ(load_text("").config.listeners.size(), 2u);
  const Loaded loaded = load_text("[[listener]]\nprotocol = \"ws\"\naddress = \"localhost:9001\"\n");
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  ASSERT_EQ(loaded.config.listeners.size(), 1u);
  EXPECT_EQ(loaded.config.listeners[0].protocol, Protocol::Ws);
  EXPECT_EQ(loaded.config.listeners[0].address, "localhost:9001");
}

TEST(Load, EnvironmentWinsOverTheFile) {
  const Loaded loaded =
      load_text("[limits]\nmax_inflight = 7\nmax_topic_levels = 8\n", {{"WAKEMQ_LIMITS_MAX_INFLIGHT", "20"}});
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.config.limits.max_inflight, 20);
  EXPECT_EQ(loaded.config.limits.max_topic_levels, 8u);
}

TEST(Load, EnvironmentNumbersArrayElements) {
  const WrittenFile account("{}");
  const Loaded loaded = load_text("", {{"WAKEMQ_LISTENER_0_ADDRESS", ":2883"},
                                       {"WAKEMQ_LISTENER_1_ADDRESS", "unix:/tmp/s"},
                                       {"WAKEMQ_LISTENER_1_PROXY_PROTOCOL", "true"},
                                       {"WAKEMQ_PUSH_APP_0_ID", "com.example.cam"},
                                       {"WAKEMQ_PUSH_APP_0_PLATFORM", "fcm"},
                                       {"WAKEMQ_PUSH_APP_0_SERVICE_ACCOUNT_FILE", account.path()}});
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  ASSERT_EQ(loaded.config.listeners.size(), 2u);
  EXPECT_EQ(loaded.config.listeners[0].address, ":2883");
  EXPECT_TRUE(loaded.config.listeners[1].proxy_protocol);
  ASSERT_EQ(loaded.config.push_apps.size(), 1u);
  EXPECT_EQ(loaded.config.push_apps[0].id, "com.example.cam");
}

TEST(Load, EnvironmentMayChangeAnElementOfTheFile) {
  const Loaded loaded = load_text("[[listener]]\nprotocol = \"http\"\naddress = \":1\"\n",
                                  {{"WAKEMQ_LISTENER_0_ADDRESS", ":2"}});
  ASSERT_EQ(loaded.config.listeners.size(), 1u);
  EXPECT_EQ(loaded.config.listeners[0].protocol, Protocol::Http);
  EXPECT_EQ(loaded.config.listeners[0].address, ":2");
}

TEST(Load, EnvironmentMayNotSkipAnElement) {
  const Loaded loaded = load_text("", {{"WAKEMQ_LISTENER_1_ADDRESS", ":2"}});
  EXPECT_THAT(texts(loaded.problems),
              ElementsAre(HasSubstr("listener[0]: expected elements numbered from 0")));
}

TEST(Load, UnknownKeyNamesLineAndKnownOnes) {
  EXPECT_THAT(texts(load_text("\n[database]\nurll = \"x\"\n").problems),
              ElementsAre("f:3: database.urll: unknown key; expected one of url, url_file, pool"));
}

TEST(Load, UnknownSectionNamesLineAndKnownOnes) {
  const auto problems = texts(load_text("[databse]\nurl = \"x\"\n[push.ap]\n").problems);
  EXPECT_THAT(
      problems,
      ElementsAre(HasSubstr("f:1: databse: unknown section; expected one of [[listener]], [database]"),
                  HasSubstr("f:3: push.ap: unknown section")));
}

TEST(Load, KeyOutsideEverySectionIsRefused) {
  EXPECT_THAT(texts(load_text("pool = 4\n").problems),
              ElementsAre(HasSubstr("f:1: pool: no key may stand here")));
}

TEST(Load, WrongKindOfSectionIsRefused) {
  EXPECT_THAT(texts(load_text("[listener]\naddress = \":1\"\n").problems),
              ElementsAre("f:1: listener: expected a section that begins with [[listener]]"));
  EXPECT_THAT(texts(load_text("[[log]]\nlevel = \"info\"\n").problems),
              ElementsAre("f:1: log: expected a section that begins with [log]"));
}

TEST(Load, EveryWrongValueIsToldWithWhatWasExpected) {
  const auto problems = texts(load_text(R"([limits]
max_inflight = 65536
max_packet = "1MB"
connect_timeout = 10
[delivery]
inbox_ttl = "90500ms"
[auth]
allow_anonymous = "yes"
[log]
level = "loud"
)")
                                  .problems);
  EXPECT_THAT(
      problems,
      ElementsAre("f:2: limits.max_inflight: expected a whole number from 1 to 65535, not 65536",
                  "f:3: limits.max_packet: expected a size from 1KiB to 256MiB, as \"1MiB\", not \"1MB\"",
                  HasSubstr("f:4: limits.connect_timeout: expected a duration from 100ms to 10m"),
                  HasSubstr("f:6: delivery.inbox_ttl: expected a duration from 1m to 366d"),
                  "f:8: auth.allow_anonymous: expected true or false, not \"yes\"",
                  "f:10: log.level: expected \"debug\", \"info\", \"warn\" or \"error\", not \"loud\""));
}

TEST(Load, TopicLevelsAreBoundedByWhatTheSubscriptionTreeCanHold) {
  EXPECT_EQ(load_text("[limits]\nmax_topic_levels = 256\n").config.limits.max_topic_levels, 256u);
  for (const char* wrong : {"0", "257"}) {
    EXPECT_THAT(texts(load_text(std::string("[limits]\nmax_topic_levels = ") + wrong + "\n").problems),
                ElementsAre("f:2: limits.max_topic_levels: expected a whole number from 1 to 256, not " +
                            std::string(wrong)));
  }
}

TEST(Load, BrokenTomlNamesTheLine) {
  EXPECT_THAT(texts(load_text("[log]\nlevel = \n").problems),
              ElementsAre(HasSubstr("f:2: expected a readable TOML file")));
}

TEST(Load, MissingFileIsAProblem) {
  const Loaded loaded = load("/nowhere/wakemq.toml", {});
  EXPECT_THAT(texts(loaded.problems),
              ElementsAre(HasSubstr("/nowhere/wakemq.toml: expected a readable TOML file")));
}

TEST(Load, UnknownVariableIsRefused) {
  const Loaded loaded = load_text(
      "", {{"WAKEMQ_DATABSE_URL", "x"}, {"WAKEMQ_LISTENER_ADDRESS", ":1"}, {"WAKEMQ_LOG_LEVL", "info"}});
  EXPECT_THAT(texts(loaded.problems), ElementsAre(HasSubstr("WAKEMQ_DATABSE_URL: names no key"),
                                                  HasSubstr("WAKEMQ_LISTENER_ADDRESS: names no key"),
                                                  HasSubstr("WAKEMQ_LOG_LEVL: log.levl: unknown key")));
}

TEST(Load, VariablesThatKubernetesSetsArePassedOver) {
  const Loaded loaded = load_text("", {{"WAKEMQ_SERVICE_HOST", "10.0.0.1"},
                                       {"WAKEMQ_SERVICE_PORT_MQTT", "1883"},
                                       {"WAKEMQ_PORT", "tcp://10.0.0.1:1883"},
                                       {"WAKEMQ_PORT_1883_TCP_ADDR", "10.0.0.1"}});
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
}

TEST(Load, SecretMayComeFromAFile) {
  const WrittenFile secret("postgresql://u:pw@db/wakemq\n");
  const Loaded loaded = load_text("[database]\nurl_file = \"" + secret.path() + "\"\n");
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.config.database.url, "postgresql://u:pw@db/wakemq");
  const Loaded both =
      load_text("[database]\nurl = \"postgresql://x\"\nurl_file = \"" + secret.path() + "\"\n");
  EXPECT_THAT(texts(both.problems),
              ElementsAre("f:3: database.url_file: expected either url or url_file, not both"));
}

TEST(Load, SecretOfTheEnvironmentReplacesTheFilesOne) {
  const WrittenFile secret("postgresql://secret\n");
  const Loaded loaded = load_text("[database]\nurl = \"x\"\n", {{"WAKEMQ_DATABASE_URL_FILE", secret.path()}});
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_EQ(loaded.config.database.url, "postgresql://secret");
}

TEST(Load, SecretIsNeverShown) {
  const auto problems =
      texts(load_text("[cluster]\nnats_url = \"hunter2\"\n[database]\nurl = 77345\n").problems);
  ASSERT_EQ(problems.size(), 2u);
  for (const std::string& problem : problems) {
    EXPECT_THAT(problem, testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(problem, testing::Not(HasSubstr("77345")));
  }
}

TEST(Load, AListIsWrittenAsOneAndInTheEnvironmentWithSemicolons) {
  const std::string file =
      "[[listener]]\nprotocol = \"ws\"\nallowed_origins = [\"https://a\", \"https://b\"]\n";
  EXPECT_THAT(load_text(file, {}).config.listeners[0].allowed_origins, ElementsAre("https://a", "https://b"));
  const Loaded loaded = load_text(file, {{"WAKEMQ_LISTENER_0_ALLOWED_ORIGINS", "https://c; https://d"}});
  EXPECT_THAT(texts(loaded.problems), IsEmpty());
  EXPECT_THAT(loaded.config.listeners[0].allowed_origins, ElementsAre("https://c", "https://d"));
  const auto problems =
      texts(load_text("[[listener]]\nallowed_origins = [1]\nauth = \"password\"\n", {}).problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_THAT(problems[0], HasSubstr("listener[0].allowed_origins: expected a list of origins"));
  EXPECT_THAT(problems[1], HasSubstr("listener[0].auth: expected a list"));
}

TEST(Load, ADirectoryIsNoConfiguration) {
  const Loaded loaded = load(std::filesystem::temp_directory_path().string(), {});
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_THAT(loaded.problems[0].text(), HasSubstr("expected a file, not a directory"));
}

TEST(UnusedKeys, AreThoseThatAreSetAndDoNothingYet) {
  EXPECT_THAT(unused_keys({}), IsEmpty());
  Config config;
  config.cluster.nats_url = "nats://n:4222";
  EXPECT_THAT(unused_keys(config), ElementsAre("cluster.nats_url"));
}

TEST(NeedsRestart, NoPushAppDoes) {
  Config running;
  Config wanted;
  wanted.push_apps.resize(2);
  EXPECT_THAT(needs_restart(running, wanted), IsEmpty());
  running.push_apps.resize(2);
  wanted.push_apps[1].topic = "com.example.other";
  EXPECT_THAT(needs_restart(running, wanted), IsEmpty());
}

TEST(NeedsRestart, NamesOnlyWhatSighupCannotChange) {
  Config running;
  Config wanted;
  wanted.limits.max_connections = 5;
  wanted.log.level = LogThreshold::Debug;
  wanted.listeners[1].address = ":8081";
  EXPECT_THAT(needs_restart(running, wanted), ElementsAre("listener[1].address", "limits.max_connections"));
  wanted.listeners.pop_back();
  EXPECT_THAT(needs_restart(running, wanted), ElementsAre("listener", "limits.max_connections"));
}

}  // namespace
}  // namespace wake::config
