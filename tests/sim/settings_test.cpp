#include "tests/sim/settings.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wake::sim {
namespace {

TEST(Settings, ChangesWhatIsNamedAndNothingElse) {
  Settings settings;
  settings.apply(R"({"max_concurrent_streams":1,"topics":["a"],"first_token_gate":false})"_json);
  EXPECT_EQ(settings.max_concurrent_streams, 1u);
  EXPECT_EQ(settings.topics, std::vector<std::string>{"a"});
  EXPECT_FALSE(settings.first_token_gate);
  EXPECT_EQ(settings.token_change_s, 1200u);
  EXPECT_EQ(to_json(settings)["max_concurrent_streams"], 1);
}

TEST(Settings, ARefusedChangeChangesNothing) {
  Settings settings;
  EXPECT_THROW(settings.apply(R"({"delay_ms":5,"dela":1})"_json), std::invalid_argument);
  EXPECT_THROW(settings.apply(R"({"delay_ms":-1})"_json), std::invalid_argument);
  EXPECT_THROW(settings.apply(R"({"topics":"a"})"_json), std::invalid_argument);
  EXPECT_THROW(settings.apply(R"({"alpn":"h3"})"_json), std::invalid_argument);
  EXPECT_EQ(settings.delay_ms, 0u);
}

}  // namespace
}  // namespace wake::sim
