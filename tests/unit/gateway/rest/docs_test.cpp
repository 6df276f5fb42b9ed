#include "gateway/rest/docs_page.hpp"
#include "rest_fixture.hpp"

namespace wake::gateway::rest {
namespace {

class Docs : public RestTest {};

TEST_F(Docs, EveryOperationAndSchemaHasItsPlace) {
  const json document = send("GET", "/openapi.json").body;
  const std::string page = send("GET", "/docs").raw;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      const std::string id = operation["operationId"].get<std::string>();
      EXPECT_NE(page.find("<article id=\"" + id + "\">"), std::string::npos) << id;
      EXPECT_NE(page.find("<code>" + path + "</code>"), std::string::npos) << path;
    }
  }
  for (const auto& [name, schema] : document["components"]["schemas"].items())
    EXPECT_NE(page.find("<article id=\"schema-" + name + "\">"), std::string::npos) << name;
}

TEST_F(Docs, NothingOfItIsFromElsewhereAndNothingRuns) {
  for (const char* path : {"/docs", "/docs.css"}) {
    const Answer answer = send("GET", path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("content-security-policy").find("default-src 'none'"), 0U);
    EXPECT_EQ(answer.header("content-security-policy").find("unsafe"), std::string::npos);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
    for (const char* foreign : {"<script", "http://", "https://", "javascript:", " style=", " onclick"})
      EXPECT_EQ(answer.raw.find(foreign), std::string::npos) << path << " has " << foreign;
  }
}

TEST(DocsPage, WhatTheDocumentSaysIsTextAndNotMarkup) {
  const std::string page =
      docs_page(R"({"info":{"title":"<b>","version":"1","description":"`<script>` & \"x\""},
    "tags":[],"paths":{},"components":{"schemas":{}}})");
  EXPECT_NE(page.find("<title>&lt;b&gt; 1"), std::string::npos);
  EXPECT_NE(page.find("<code>&lt;script&gt;</code> &amp; &quot;x&quot;"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace wake::gateway::rest
