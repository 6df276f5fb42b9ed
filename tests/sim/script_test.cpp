#include "tests/sim/script.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/sim/scripted_headers.hpp"
#include "tests/sim/test_keys.hpp"

namespace wake::sim {
namespace {

using Json = nlohmann::json;

TEST(Script, UsesUpOneAnswerPerRequestThenBehavesNormally) {
  ScriptBook book;
  book.add("a", {parse_answer(R"({"status":410,"reason":"Unregistered"})"_json),
                 parse_answer(R"({"delay_ms":5})"_json)});
  EXPECT_EQ(book.size(), 2u);
  EXPECT_EQ(book.take("a")->reason, "Unregistered");
  EXPECT_EQ(book.take("b"), std::nullopt);
  EXPECT_EQ(book.take("a")->delay, std::chrono::milliseconds(5));
  EXPECT_EQ(book.take("a"), std::nullopt);
}

TEST(Script, TheStarIsForTokensWithoutTheirOwn) {
  ScriptBook book;
  book.add("*", {parse_answer(R"({"status":503})"_json)});
  book.add("a", {parse_answer(R"({"status":500})"_json)});
  EXPECT_EQ(book.take("a")->status, 500);
  EXPECT_EQ(book.take("a")->status, 503);
  EXPECT_EQ(book.take("a"), std::nullopt);
}

TEST(Script, ReadsEveryMember) {
  const auto answer = parse_answer(R"({"status":503,"reason":"R","timestamp":7,"delay_ms":9,"retry_after":30,
    "raw_body":"<html>","content_type":"text/x","headers":{"x-a":"b"},"details":[],"show":true,"reset":2})"_json);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.timestamp_ms, 7);
  EXPECT_EQ(answer.retry_after, "30");
  EXPECT_EQ(answer.raw_body, "<html>");
  EXPECT_EQ(answer.show, Show::Always);
  EXPECT_EQ(answer.fate, Fate::Reset);
  EXPECT_EQ(answer.reset_code, 2u);
  EXPECT_EQ(parse_answer(R"({"lose_answer":true})"_json).fate, Fate::Closed);
  EXPECT_EQ(parse_answer(R"({"lose_answer":"freeze"})"_json).fate, Fate::Frozen);
  EXPECT_TRUE(parse_answer(R"({"goaway":{"include_this":false}})"_json).never_seen());
  EXPECT_FALSE(parse_answer(R"({"goaway":true})"_json).never_seen());
  EXPECT_TRUE(parse_answer(R"({"refuse_stream":true})"_json).never_seen());
}

TEST(Script, RefusesATypingMistakeByName) {
  EXPECT_THROW(parse_answer(R"({"stats":410})"_json), std::invalid_argument);
  EXPECT_THROW(parse_answer(R"({"status":"410"})"_json), std::invalid_argument);
  EXPECT_THROW(parse_answer(R"({"status":99})"_json), std::invalid_argument);
  EXPECT_THROW(parse_answer(R"([])"_json), std::invalid_argument);
}

TEST(Script, RetryAfterComesInBothForms) {
  Reply reply;
  add_scripted_headers(reply, parse_answer(R"({"retry_after":5})"_json), kNoon);
  EXPECT_EQ(reply.headers, (Headers{{"retry-after", "5"}}));
  add_scripted_headers(reply, parse_answer(R"({"retry_after":"date:5"})"_json), kNoon);
  EXPECT_EQ(reply.headers, (Headers{{"retry-after", "Fri, 20 Nov 2026 12:00:05 GMT"}}));
}

}  // namespace
}  // namespace wake::sim
