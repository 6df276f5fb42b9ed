#include "gateway/observe/log_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wake::gateway {
namespace {

TEST(LogText, AClientCannotForgeALine) {
  EXPECT_EQ(text_fields("client.refused", "a\nlevel=info event=fake\r\x1b[31m"),
            "event=client.refused a\\nlevel=info event=fake\\x0d\\x1b[31m");
}

TEST(LogText, KeepsUtf8) { EXPECT_EQ(text_fields("a.b", "客厅"), "event=a.b 客厅"); }

TEST(LogText, JsonIsJsonWhateverTheBytes) {
  const auto parsed = nlohmann::json::parse("{" + json_fields("a.b", "quote \" line\n bad \xff") + "}");
  EXPECT_EQ(parsed["event"], "a.b");
  EXPECT_EQ(parsed["text"].get<std::string>().substr(0, 14), "quote \" line\n ");
}

}  // namespace
}  // namespace wake::gateway
