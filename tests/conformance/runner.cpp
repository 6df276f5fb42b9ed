// Plays the conformance data (README.md here) against the broker's machine, each case on one shard and on
// two, and holds the cases against the list of clauses.
//   conformance --clauses              prints that list's state and runs nothing
//   conformance --fuzz-corpus FOLDER   writes the cases as inputs of tests/fuzz/broker_fuzz.cpp
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/conformance/byte_pattern.hpp"
#include "tests/conformance/case_file.hpp"
#include "tests/conformance/clause_list.hpp"
#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using Json = nlohmann::json;

Limits limits_of(const Json& data) {
  Limits limits;
  const Json given = data.value("limits", Json::object());
  const auto take = [&](const char* name, auto& out) { out = given.value(name, out); };
  take("max_packet_bytes", limits.max_packet_bytes);
  take("max_inflight", limits.max_inflight);
  take("max_queued_messages", limits.max_queued_messages);
  take("max_subscriptions", limits.max_subscriptions);
  take("receive_maximum", limits.receive_maximum);
  take("max_topic_aliases", limits.max_topic_aliases);
  limits.max_keep_alive = std::chrono::seconds(given.value("max_keep_alive_s", 0));
  return limits;
}

/// The one method of enhanced authentication here: the answer to "?" is "!".
AuthOutcome riddle(const Authenticate& question) {
  AuthOutcome outcome{.kind = AuthOutcome::Kind::BadMethod, .principal = {}, .grants = {}};
  if (question.method != "RIDDLE") return outcome;
  if (question.state.empty()) {
    outcome.kind = AuthOutcome::Kind::Continue;
    outcome.data = "?";
    outcome.state = "asked";
  } else {
    outcome.kind = question.data == "!" ? AuthOutcome::Kind::Allowed : AuthOutcome::Kind::Refused;
    outcome.grants.is_superuser = true;
  }
  return outcome;
}

class Case : public testing::Test {
 public:
  Case(Json data, unsigned shard_count) : data_(std::move(data)), world_(shard_count, limits_of(data_)) {
    for (const std::string id : data_.value("restricted", Json::array())) restrict(id);
    world_.answers_method = riddle;
  }
  void TestBody() override {
    for (const Json& step : data_.at("steps")) {
      play(step);
      if (HasFailure()) {
        FAIL() << "at step " << step.dump();
      }
    }
  }

 private:
  /// The client acts for a user who may use topics with the level "mine" only.
  void restrict(const std::string& client_id) {
    auto user = std::make_shared<UserRecord>();
    user->id = UserId{1};
    user->username = "u";
    user->device_ids = {"mine"};
    world_.users["u"] = user;
    world_.username_of[client_id] = "u";
  }
  void play(const Json& step) {
    const std::string verb = step.at(1);
    if (verb == "wait") return world_.advance(std::chrono::milliseconds(step.at(2).get<int>()));
    if (verb == "crash") return world_.crash(0);
    Client& client = world_.client(step.at(0));
    client.is_raw = true;
    if (verb == "send") {
      send(client, step.at(2));
    } else if (verb == "hello") {
      send(client, hello_of(step.at(2), client.id));
      expect(client, "20 [.. 00 *]");
    } else if (verb == "expect") {
      expect(client, step.at(2));
    } else if (verb == "ignore") {
      client.raw.clear();
    } else if (verb == "silent") {
      EXPECT_EQ(to_hex(client.raw), "");
    } else if (verb == "closed") {
      EXPECT_FALSE(client.is_connected);
    } else if (verb == "open") {
      EXPECT_TRUE(client.is_connected);
    } else if (verb == "drop") {
      world_.drop(client);
    } else {
      FAIL() << "unknown verb " << verb;
    }
  }
  void send(Client& client, const std::string& text) {
    if (!client.is_connected) world_.open(client, Version::V311, opened_++);
    world_.send_bytes(client, BytePattern(text).bytes());
  }
  static void expect(Client& client, const std::string& text) {
    const std::size_t used = BytePattern(text).match(client.raw);
    EXPECT_NE(used, BytePattern::kNoMatch) << "got: " << to_hex(client.raw);
    if (used != BytePattern::kNoMatch)
      client.raw.erase(client.raw.begin(), client.raw.begin() + static_cast<std::ptrdiff_t>(used));
  }

  Json data_;
  World world_;
  unsigned opened_ = 0;  // sockets so far: the shards accept them in turn
};

/// What a check of the list found, as one test.
class Check : public testing::Test {
 public:
  explicit Check(std::vector<std::string> wrong) : wrong_(std::move(wrong)) {}
  void TestBody() override {
    for (const std::string& one : wrong_) ADD_FAILURE() << one;
  }

 private:
  std::vector<std::string> wrong_;
};

template <class Make>
void add_test(const std::string& suite, const std::string& name, const std::string& file, Make make) {
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, file.c_str(), 1, std::move(make));
}

void load_file(const CaseFile& file, ClauseList& clauses) {
  for (const Json& one : file.cases) {
    for (const Json& clause : one.at("clauses")) clauses.cite(clause);
    const std::string name = one.at("name");
    for (const unsigned shards : {1u, 2u}) {
      add_test(file.suite, shards == 1 ? name : name + " (two shards)", file.path,
               [one, shards]() -> Case* { return new Case(one, shards); });
    }
  }
}

/// faults.json: what went wrong elsewhere, and the tests that it does not here.
std::vector<std::string> untested_faults() {
  std::vector<std::string> wrong;
  std::ifstream in(WAKE_CONFORMANCE_DIR "/faults.json");
  for (const Json& fault : Json::parse(in)) {
    const std::string seen = fault.at("seen");
    if (fault.at("tests").empty()) wrong.push_back(seen + ": no test");
    for (const std::string test : fault.at("tests")) {
      if (!has_test(WAKE_SOURCE_DIR, test)) wrong.push_back(seen + ": there is no " + test);
    }
  }
  return wrong;
}

void add_checks(const ClauseList& clauses) {
  const auto add = [&](const char* name, std::vector<std::string> wrong) {
    add_test("Clauses", name, WAKE_CONFORMANCE_DIR "/clauses.json",
             [wrong = std::move(wrong)]() -> Check* { return new Check(wrong); });
  };
  add("CasesCiteOnlyWhatTheListHas", {clauses.unknown().begin(), clauses.unknown().end()});
  add("EachHasATestOrAReason", clauses.unaccounted());
  add("NoneHasBothATestAndAReason", clauses.contradicted());
  add("TestsNamedInTheListExist", clauses.missing_tests(WAKE_SOURCE_DIR));
  add("TestsNamedForFaultsExist", untested_faults());
}

}  // namespace
}  // namespace wake::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto files = wake::test::read_cases(WAKE_CONFORMANCE_DIR);
  if (arguments.size() == 2 && arguments[0] == "--fuzz-corpus") {
    wake::test::write_fuzz_corpus(files, std::string(arguments[1]));
    return 0;
  }
  wake::test::ClauseList clauses(WAKE_CONFORMANCE_DIR "/clauses.json");
  for (const auto& file : files) wake::test::load_file(file, clauses);
  if (arguments.size() == 1 && arguments[0] == "--clauses") {
    clauses.report(std::cout);
    return 0;
  }
  wake::test::add_checks(clauses);
  return RUN_ALL_TESTS();
}
