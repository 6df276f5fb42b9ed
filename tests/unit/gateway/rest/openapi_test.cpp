// openapi.json is true: every operation it names is a route, there are as many as routes, and who may call is
// as it says.
#include <regex>

#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

using Openapi = RestTest;

TEST_F(Openapi, EveryOperationIsARouteAndAsksForTheRightCredentials) {
  const json document = send("GET", "/openapi.json").body;
  int count = 0;
  for (const auto& [path, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      std::string verb = method;
      for (char& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      const Answer answer = send(verb, std::regex_replace(path, std::regex("\\{[^}]*\\}"), "x"));
      const bool is_open = operation["security"].empty() || operation["security"][0].empty();
      EXPECT_NE(answer.status, 404) << verb << path;
      EXPECT_NE(answer.status, 405) << verb << path;
      EXPECT_EQ(answer.status == 401, !is_open) << verb << path << answer.status;
      EXPECT_TRUE(operation["responses"].contains(std::to_string(answer.status)))
          << verb << path << answer.status;
      ++count;
    }
  }
  EXPECT_EQ(count, 36);  // the table of gateway/rest/routes.cpp
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
