#include "gateway/cli/cli.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace wake::gateway::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// What one command line did.
struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
  int serve_count = 0;
  config::Config served;
};

/// A database that is never there: what needs one fails before or by asking it.
const config::Environment kNoDatabase{{"WAKEMQ_DATABASE_URL", "postgresql:///wakemq?host=/nowhere"}};

Outcome run_with(const std::vector<std::string>& arguments, const std::string& input = {},
                 const config::Environment& environment = kNoDatabase) {
  Outcome outcome;
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  World world{in, out, err, environment, [&outcome](const config::Config& config) {
                ++outcome.serve_count;
                outcome.served = config;
                return kDone;
              }};
  outcome.status = run(arguments, world);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

class CommandLine : public testing::Test {
 protected:
  ~CommandLine() override { std::filesystem::remove(file_); }
  std::string configured(const std::string& toml) {
    std::ofstream(file_) << toml;
    return file_;
  }

 private:
  const std::string file_ =
      (std::filesystem::temp_directory_path() / ("wakemq_cli_" + std::to_string(::getpid()) + ".toml"))
          .string();
};

TEST_F(CommandLine, HelpIsThereOnEveryLevel) {
  const std::vector<std::vector<std::string>> levels{{},
                                                     {"serve"},
                                                     {"migrate"},
                                                     {"check-config"},
                                                     {"version"},
                                                     {"user"},
                                                     {"user", "add"},
                                                     {"user", "passwd"},
                                                     {"user", "list"},
                                                     {"user", "remove"},
                                                     {"device"},
                                                     {"device", "add"},
                                                     {"device", "list"},
                                                     {"device", "remove"},
                                                     {"device", "rotate"},
                                                     {"acl"},
                                                     {"acl", "add"},
                                                     {"acl", "list"},
                                                     {"acl", "remove"},
                                                     {"api-key"},
                                                     {"api-key", "create"},
                                                     {"api-key", "list"},
                                                     {"api-key", "revoke"}};
  for (std::vector<std::string> arguments : levels) {
    arguments.emplace_back("--help");
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.status, kDone) << testing::PrintToString(arguments);
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage: wakemq"), HasSubstr("--help")));
    EXPECT_THAT(outcome.err, IsEmpty());
  }
}

TEST_F(CommandLine, WrongUsageIsStatusTwoAndAHint) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"frobnicate"},
      {"user"},
      {"user", "add", "--password-stdin"},
      {"serve", "--config"},
      {"serve", "--frob"},
      {"api-key", "create", "--name", "n"},
      {"api-key", "create", "--name", "n", "--scope", "root"},
      {"api-key", "revoke", "abc"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.status, kWrongUsage) << testing::PrintToString(arguments);
    EXPECT_THAT(outcome.err, Not(IsEmpty())) << testing::PrintToString(arguments);
  }
}

TEST_F(CommandLine, ServeIsHandedTheConfiguration) {
  const Outcome outcome = run_with({"serve", "--config", configured("[limits]\nmax_inflight = 7\n")});
  EXPECT_EQ(outcome.status, kDone);
  EXPECT_EQ(outcome.serve_count, 1);
  EXPECT_EQ(outcome.served.limits.max_inflight, 7);
  EXPECT_EQ(outcome.served.database.url, "postgresql:///wakemq?host=/nowhere");
}

TEST_F(CommandLine, ConfigMayStandBeforeTheCommand) {
  const Outcome outcome = run_with({"--config", configured("[limits]\nmax_inflight = 9\n"), "serve"});
  EXPECT_EQ(outcome.served.limits.max_inflight, 9);
}

TEST_F(CommandLine, ConfigAndJsonMayStandBetweenTheWords) {
  const std::string file = configured("[database]\nurl = \"postgresql:///between?host=/nowhere\"\n");
  for (const char* group : {"user", "device", "api-key", "acl"}) {
    const Outcome outcome = run_with({group, "--config", file, "--json", "list"}, {}, {});
    EXPECT_EQ(outcome.status, kFailed) << group << ": understood, and then the database was asked";
    EXPECT_THAT(outcome.err, HasSubstr("PostgreSQL cannot be asked")) << group;
    const Outcome unreadable = run_with({group, "--config", "/nowhere.toml", "list"});
    EXPECT_EQ(unreadable.status, kWrongUsage);
    EXPECT_THAT(unreadable.err, HasSubstr("/nowhere.toml")) << group << ": it is that file which is read";
  }
}

TEST_F(CommandLine, WrongConfigurationServesNothingAndTellsEverything) {
  const std::string file = configured("[limits]\nmax_inflight = 0\nfrob = 1\n");
  for (const char* command : {"serve", "check-config", "migrate"}) {
    const Outcome outcome = run_with({command, "--config", file});
    EXPECT_EQ(outcome.status, kWrongUsage) << command;
    EXPECT_EQ(outcome.serve_count, 0);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr(file + ":2: limits.max_inflight: expected a whole number"),
                      HasSubstr(file + ":3: limits.frob: unknown key"), HasSubstr("2 problems")));
  }
}

TEST_F(CommandLine, CheckConfigSaysThatItIsGood) {
  const Outcome outcome = run_with({"check-config", "--config", configured("")});
  EXPECT_EQ(outcome.status, kDone);
  EXPECT_THAT(outcome.out, HasSubstr(": good"));
}

TEST_F(CommandLine, PasswordComesFromStandardInputOnly) {
  const std::string file = configured("");
  const Outcome without = run_with({"user", "add", "ann", "--config", file}, "long enough\n");
  EXPECT_EQ(without.status, kWrongUsage);
  EXPECT_THAT(without.err, HasSubstr("--password-stdin"));
  EXPECT_EQ(run_with({"user", "add", "ann", "--password", "long enough", "--config", file}).status,
            kWrongUsage);
}

TEST_F(CommandLine, PasswordTooShortOrTooLongIsRefused) {
  const std::string file = configured("");
  const auto add = [&](const std::string& input) {
    return run_with({"user", "add", "ann", "--password-stdin", "--config", file}, input);
  };
  for (const std::string& input :
       {std::string(), std::string("\n"), std::string("1234567\n"), std::string(1025, 'x')}) {
    const Outcome outcome = add(input);
    EXPECT_EQ(outcome.status, kFailed);
    EXPECT_THAT(outcome.err, HasSubstr("expected a password of 8 to 1024 bytes"));
  }
  std::string shortest = "12345678";
  std::string longest(1024, 'x');
  longest.append("\r\n");
  for (const std::string* input : {&shortest, &longest}) {
    EXPECT_THAT(add(*input).err, HasSubstr("PostgreSQL")) << "taken, and then the database was asked";
  }
}

TEST_F(CommandLine, APasswordIsText) {
  const std::string file = configured("");
  for (const std::string& input : {std::string("12345678\0", 9), std::string("12345678\xff")}) {
    for (const char* verb : {"add", "passwd"}) {
      const Outcome outcome =
          run_with({"user", verb, "ann", "--password-stdin", "--config", file}, input + "\n");
      EXPECT_EQ(outcome.status, kFailed);
      EXPECT_THAT(outcome.err, HasSubstr("UTF-8"));
    }
  }
}

TEST_F(CommandLine, ADatabaseUrlThatIsNoneIsAWrongConfiguration) {
  const Outcome outcome = run_with({"user", "list", "--config", configured("")}, {},
                                   {{"WAKEMQ_DATABASE_URL", "postgresql://[bad"}});
  EXPECT_EQ(outcome.status, kWrongUsage);
  EXPECT_THAT(outcome.err, HasSubstr("url"));
}

TEST_F(CommandLine, NamesThatWidenAFilterAreRefused) {
  const std::string file = configured("");
  for (const char* name : {"", "a+b", "a/b", "#", "api-key"}) {
    EXPECT_EQ(run_with({"user", "add", name, "--password-stdin", "--config", file}, "long enough\n").status,
              kWrongUsage)
        << name;
  }
  EXPECT_EQ(run_with({"device", "add", "a/b", "--config", file}).status, kWrongUsage);
  const auto rule = [&](const std::string& subject, const std::string& action, const std::string& filter) {
    return run_with(
               {"acl", "add", "--subject", subject, "--action", action, "--filter", filter, "--config", file})
        .status;
  };
  EXPECT_EQ(rule("user", "publish", "a/#/b"), kWrongUsage);
  EXPECT_EQ(rule("user", "publish", "$share/g/a"), kWrongUsage);
  EXPECT_EQ(rule("users", "publish", "a"), kWrongUsage);
  EXPECT_EQ(rule("user", "write", "a"), kWrongUsage);
  EXPECT_EQ(
      run_with({"api-key", "create", "--name", "n", "--scope", "publish", "--filter", "a#", "--config", file})
          .status,
      kWrongUsage);
}

TEST_F(CommandLine, DatabaseAwayIsStatusOneAndSaysWhatToDo) {
  const std::string file = configured("");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"migrate"},
                                                  {"user", "list"},
                                                  {"device", "add", "CAM1"},
                                                  {"device", "rotate", "CAM1"},
                                                  {"acl", "list"},
                                                  {"api-key", "list"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--config", file});
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.status, kFailed) << testing::PrintToString(command);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("PostgreSQL cannot be asked"), HasSubstr("WAKEMQ_DATABASE_URL")));
  }
}

TEST_F(CommandLine, VersionIsOneLine) {
  const Outcome outcome = run_with({"version"});
  EXPECT_EQ(outcome.status, kDone);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("wakemq [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace wake::gateway::cli
