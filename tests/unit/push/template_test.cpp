#include "push/template.hpp"

#include <gtest/gtest.h>

#include "fixtures.hpp"

namespace wake::push {
namespace {

using testing_support::Parts;

std::string render(std::string_view source, const Parts& parts = {}) {
  TemplateRenderer renderer(parts.message, &parts.entry);
  return renderer.render(source);
}

TEST(Template, ReachesIntoThePayload) {
  EXPECT_EQ(render("{{payload.temp}}° {{payload.zone}}"), "21.5° 前门");
  EXPECT_EQ(render("{{ payload.deep.list.0 }}/{{payload.deep.list.1.on}}"), "1/true");
}

TEST(Template, CountsTopicLevelsFromZero) {
  EXPECT_EQ(render("{{topic[4]}}"), "XRHIU1Z76KFM");
  EXPECT_EQ(render("{{topic[0]}}|{{topic[1]}}|{{topic[5]}}|{{topic[6]}}"), "|zavio|location|");
}

TEST(Template, KnowsDeviceAndTitle) {
  EXPECT_EQ(render("{{device.name}} {{device.id}} {{title}}"), "Camera 1 XRHIU1Z76KFM Front door");
  Parts untitled;
  untitled.entry.title.clear();
  EXPECT_EQ(render("{{title}}", untitled), "Camera 1");
}

TEST(Template, AMissingValueRendersEmpty) {
  EXPECT_EQ(
      render("[{{payload.nothing}}{{payload.temp.deeper}}{{payload.deep}}{{payload.}}{{topic[]}}{{topic[x]}}"
             "{{topic[99999999999999999999]}}{{foo}}{{}}]"),
      "[]");
  Parts text;
  text.message.payload = "not json";
  EXPECT_EQ(render("<{{payload.temp}}>", text), "<>");
  TemplateRenderer no_entry(text.message, nullptr);
  EXPECT_EQ(no_entry.render("<{{device.name}}{{title}}>"), "<>");
}

TEST(Template, BracesThatCloseNothingStay) {
  EXPECT_EQ(render("a {{topic[1]"), "a {{topic[1]");
  EXPECT_EQ(render("}} { {{topic[1]}} }"), "}} { zavio }");
  EXPECT_EQ(render("{{{{topic[1]}}"), "");
}

TEST(Template, NoPayloadMakesItFailOrGrow) {
  Parts parts;
  parts.message.payload = std::string(100'000, '[');
  EXPECT_EQ(render("{{payload.x}}", parts), "");
  parts.message.payload = std::string(kMaxSearchedPayload + 1, ' ');
  EXPECT_EQ(render("{{payload.x}}", parts), "");
  std::string greedy;
  for (int i = 0; i < 100; ++i) greedy += "{{payload}}";
  EXPECT_LE(render(greedy, parts).size(), 3 * kMaxRendered);
}

}  // namespace
}  // namespace wake::push
