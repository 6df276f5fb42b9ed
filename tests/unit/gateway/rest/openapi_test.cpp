// openapi.json is true: every operation it names is a route, there are as many as routes, who may call is as
// it says, and every answer that can be provoked is among those it lists.
#include <regex>

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Openapi : public RestTest {
 protected:
  struct Operation {
    std::string name;
    std::string method;
    std::string path;  // "x" for each parameter
    json about;
    bool takes_body() const { return method == "POST" || method == "PUT" || method == "PATCH"; }
    /// The first that is named: "accessToken", "apiKey", "deviceSecret"; empty: anybody may call.
    std::string scheme() const {
      for (const json& choice : about["security"]) {
        if (!choice.empty()) return choice.begin().key();
      }
      return {};
    }
    bool is_open() const { return about["security"].empty() || about["security"][0].empty(); }
  };

  std::vector<Operation> operations() {
    const json document = send("GET", "/openapi.json").body;
    std::vector<Operation> all;
    for (const auto& [path, methods] : document["paths"].items()) {
      for (const auto& [method, about] : methods.items()) {
        Operation& one = all.emplace_back();
        one.method = method;
        for (char& c : one.method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        one.name = one.method + " " + path;
        one.path = std::regex_replace(path, std::regex("\\{[^}]*\\}"), "x");
        one.about = about;
      }
    }
    return all;
  }
  static void expect_listed(const Operation& operation, const Answer& answer) {
    EXPECT_TRUE(operation.about["responses"].contains(std::to_string(answer.status)))
        << operation.name << " answers " << answer.status
        << ", which openapi.json does not list: " << answer.raw;
  }
  std::string credentials_for(const Operation& operation) {
    const std::string scheme = operation.scheme();
    return scheme == "accessToken"    ? user_
           : scheme == "deviceSecret" ? device_
           : scheme == "apiKey"       ? key_
                                      : "";
  }

  const std::string user_ = add_user("ann");
  const std::string device_ = add_device("CAM1");
  const std::string key_ = add_key({"admin", "publish"});
};

TEST_F(Openapi, EveryOperationIsARouteAndAsksForTheRightCredentials) {
  int count = 0;
  for (const Operation& operation : operations()) {
    const Answer answer = send(operation.method, operation.path);
    EXPECT_NE(answer.status, 404) << operation.name;
    EXPECT_NE(answer.status, 405) << operation.name;
    EXPECT_EQ(answer.status == 401, !operation.is_open()) << operation.name << answer.status;
    expect_listed(operation, answer);
    ++count;
  }
  EXPECT_EQ(count, 61);  // the table of gateway/rest/routes.cpp
}

TEST_F(Openapi, WhatAGoodCallerIsAnsweredIsListed) {
  for (const Operation& operation : operations()) {
    const std::string who = credentials_for(operation);
    expect_listed(operation, send(operation.method, operation.path, who));
    const Answer malformed = send(operation.method, operation.path + "?a=%zz", who);
    EXPECT_EQ(malformed.status, 400) << operation.name;
    expect_listed(operation, malformed);
    expect_listed(operation, send(operation.method, operation.path + "?no_such=1&limit=0", who));
    if (!operation.takes_body()) continue;
    const Answer no_json = send(operation.method, operation.path, who, std::string("{"));
    EXPECT_TRUE(no_json.status == 400 || no_json.status == 404) << operation.name << no_json.status;
    expect_listed(operation, no_json);
    expect_listed(operation, send(operation.method, operation.path, who, json{{"no_such_field", 1}}));
    expect_listed(operation, send(operation.method, operation.path, who, "{}", "text/plain"));
    EXPECT_TRUE(operation.about["responses"].contains("413")) << operation.name;
  }
}

TEST_F(Openapi, EveryCallThatAsksForCredentialsListsTooManyWrongOnes) {
  const std::string wrong = "Basic " + encode_base64("ann:wrong password");
  Answer answer;
  for (int tries = 0; tries < 100 && answer.status != 429; ++tries)
    answer = send("GET", "/v1/me/phones", wrong);
  ASSERT_EQ(answer.status, 429);
  for (const Operation& operation : operations()) {
    if (operation.scheme().empty()) continue;
    const Answer throttled = send(operation.method, operation.path, wrong);
    EXPECT_EQ(throttled.status, 429) << operation.name;
    expect_listed(operation, throttled);
  }
}

TEST_F(Openapi, EveryReferenceLeadsSomewhere) {
  const json document = send("GET", "/openapi.json").body;
  const std::string text = document.dump();
  const std::regex reference("\"\\$ref\":\"#([^\"]+)\"");
  for (std::sregex_iterator it(text.begin(), text.end(), reference), end; it != end; ++it) {
    EXPECT_TRUE(document.contains(json::json_pointer((*it)[1].str()))) << (*it)[1];
  }
}

}  // namespace
}  // namespace wake::gateway::rest
