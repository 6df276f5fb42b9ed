// Plays the conformance data (README.md here) against the broker's machine, each case on one shard and on
// two, and holds the cases against the list of clauses. `conformance --clauses` prints that list's state and
// runs nothing.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/conformance/byte_pattern.hpp"
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
  take("max_topic_aliases", limits.max_topic_aliases);
  limits.max_keep_alive = std::chrono::seconds(given.value("max_keep_alive_s", 0));
  return limits;
}

/// The CONNECT of a client named `id`; `how`: "v31", "v311", "v5", each also with " keep" behind it.
std::string hello_of(const std::string& how, const std::string& id) {
  const bool keeps = how.ends_with(" keep");
  const std::string flags = keeps ? " 00 00 00 " : " 02 00 00 ";
  if (how.starts_with("v311")) return "10 ['MQTT' 04" + flags + "'" + id + "']";
  if (how.starts_with("v31")) return "10 ['MQIsdp' 03" + flags + "'" + id + "']";
  return "10 ['MQTT' 05" + flags + (keeps ? "{11 00 00 03 e8} '" : "{} '") + id + "']";
}

class Case : public testing::Test {
 public:
  Case(Json data, unsigned shard_count) : data_(std::move(data)), world_(shard_count, limits_of(data_)) {
    for (const std::string id : data_.value("restricted", Json::array())) restrict(id);
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

void load_file(const std::filesystem::path& file, ClauseList& clauses) {
  std::ifstream in(file);
  const std::string suite = file.parent_path().filename().string() + "_" + file.stem().string();
  for (const Json& one : Json::parse(in)) {
    for (const Json& clause : one.at("clauses")) clauses.cite(clause);
    const std::string name = one.at("name");
    for (const unsigned shards : {1u, 2u}) {
      add_test(suite, shards == 1 ? name : name + " (two shards)", file.string(),
               [one, shards]() -> Case* { return new Case(one, shards); });
    }
  }
}

void load_cases(ClauseList& clauses) {
  for (const auto& file : std::filesystem::recursive_directory_iterator(WAKE_CONFORMANCE_DIR)) {
    const bool is_of_list = file.path().parent_path() == WAKE_CONFORMANCE_DIR;
    if (file.path().extension() == ".json" && !is_of_list) load_file(file.path(), clauses);
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
  wake::test::ClauseList clauses(WAKE_CONFORMANCE_DIR "/clauses.json");
  wake::test::load_cases(clauses);
  if (argc > 1 && std::string_view(argv[1]) == "--clauses") {
    clauses.report(std::cout);
    return 0;
  }
  wake::test::add_checks(clauses);
  return RUN_ALL_TESTS();
}
