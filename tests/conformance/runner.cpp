// Plays the conformance data (see README.md here) against the broker's machine. One GoogleTest test per case.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/simulated_world.hpp"

namespace wake::test {
namespace {

using Json = nlohmann::json;

/// One byte to expect; nullopt: any.
using Pattern = std::vector<std::optional<std::byte>>;

Pattern parse_pattern(const std::string& text) {
  Pattern bytes;
  const auto add = [&](std::size_t value) { bytes.emplace_back(static_cast<std::byte>(value)); };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == ' ') {
      ++i;
    } else if (c == '\'' || c == '"') {
      const std::size_t end = text.find(c, i + 1);
      if (end == std::string::npos) throw std::runtime_error("unclosed text in: " + text);
      const std::string inside = text.substr(i + 1, end - i - 1);
      if (c == '\'') add(inside.size() >> 8), add(inside.size() & 0xFF);
      for (const char one : inside) add(static_cast<unsigned char>(one));
      i = end + 1;
    } else if (text.compare(i, 2, "..") == 0) {
      bytes.emplace_back(std::nullopt);
      i += 2;
    } else {
      std::size_t digits = 0;
      add(std::stoul(text.substr(i, 2), &digits, 16));
      if (digits != 2) throw std::runtime_error("not a hex pair at " + std::to_string(i) + " in: " + text);
      i += 2;
    }
  }
  return bytes;
}

std::string to_hex(const std::vector<std::byte>& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte one : bytes) {
    text += kDigits[std::to_integer<unsigned>(one) >> 4];
    text += kDigits[std::to_integer<unsigned>(one) & 15];
    text += ' ';
  }
  return text;
}

class Case : public testing::Test {
 public:
  explicit Case(Json data) : data_(std::move(data)) {}
  void TestBody() override {
    for (const Json& step : data_.at("steps")) {
      play(step);
      if (HasFailure()) {
        FAIL() << "at step " << step.dump();
      }
    }
  }

 private:
  void play(const Json& step) {
    const std::string verb = step.at(1);
    if (verb == "wait") return world_.advance(std::chrono::milliseconds(step.at(2).get<int>()));
    Client& client = world_.client(step.at(0));
    client.is_raw = true;
    if (verb == "send") {
      if (!client.is_connected) world_.open(client, Version::V311, 0);
      std::vector<std::byte> bytes;
      for (const auto& one : parse_pattern(step.at(2))) bytes.push_back(one.value());
      world_.send_bytes(client, bytes);
    } else if (verb == "expect") {
      expect(client, parse_pattern(step.at(2)));
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
  static void expect(Client& client, const Pattern& pattern) {
    bool is_same = client.raw.size() >= pattern.size();
    for (std::size_t i = 0; is_same && i < pattern.size(); ++i)
      is_same = !pattern[i] || *pattern[i] == client.raw[i];
    EXPECT_TRUE(is_same) << "got: " << to_hex(client.raw);
    if (is_same)
      client.raw.erase(client.raw.begin(), client.raw.begin() + static_cast<std::ptrdiff_t>(pattern.size()));
  }

  Json data_;
  World world_;
};

std::set<std::string> load_cases() {
  std::set<std::string> clauses;
  for (const auto& file : std::filesystem::recursive_directory_iterator(WAKE_CONFORMANCE_DIR)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream in(file.path());
    const Json all = Json::parse(in);
    const std::string suite =
        file.path().parent_path().filename().string() + "_" + file.path().stem().string();
    for (const Json& one : all) {
      for (const Json& clause : one.at("clauses")) clauses.insert(clause);
      testing::RegisterTest(suite.c_str(), one.at("name").get<std::string>().c_str(), nullptr, nullptr,
                            file.path().c_str(), 1, [one]() -> Case* { return new Case(one); });
    }
  }
  return clauses;
}

}  // namespace
}  // namespace wake::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto clauses = wake::test::load_cases();
  const int result = RUN_ALL_TESTS();
  std::cout << "conformance: " << clauses.size() << " clauses have a case:";
  for (const std::string& clause : clauses) std::cout << ' ' << clause << ';';
  std::cout << '\n';
  return result;
}
