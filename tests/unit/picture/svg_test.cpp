// The SVG writer: what comes out is XML, whatever goes in.
#include "picture/svg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/xml_elements.hpp"

namespace kantrig::picture {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Svg, EscapesNames) {
  Svg svg(100, 50, "a<b");
  svg.text(1, 2, "p_T > 5 & \"tight\"", {});
  EXPECT_THAT(svg.done(), HasSubstr("<title>a&lt;b</title>"));
  EXPECT_THAT(svg.done(), HasSubstr("p_T &gt; 5 &amp; &quot;tight&quot;"));
  EXPECT_EQ(test::read_xml(svg.done()).error, "");
}

TEST(Svg, KeepsUtf8AndReplacesWhatIsNone) {
  Svg svg(100, 50, "t");
  svg.text(0, 9, "m\xC3\xBC \xE2\x80\xA6 \xF0\x9F\x98\x80", {});
  svg.text(0, 9, "a\xFF b\xC3 c\xED\xA0\x80 d\xC0\xAF e\xEF\xBF\xBF f\x01g", {});
  EXPECT_THAT(svg.done(), HasSubstr(">m\xC3\xBC \xE2\x80\xA6 \xF0\x9F\x98\x80<"));
  EXPECT_THAT(svg.done(), HasSubstr(">a? b? c??? d?? e??? f g<"));
}

TEST(Svg, WritesNumbersThatEveryViewerReads) {
  Svg svg(100, 50, "t");
  svg.line(-0.001, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1.5);
  EXPECT_THAT(svg.done(), HasSubstr("x1=\"0\" y1=\"0\" x2=\"1000000\" y2=\"1.5\""));
  EXPECT_THAT(svg.done(), Not(HasSubstr("nan")));
}

TEST(Svg, DrawsEveryShapeAsXml) {
  Svg svg(100, 50, "t");
  const std::vector<Point> corners{{1, 2}, {3, 4}, {5, 6.25}};
  svg.rectangle({1, 2, 3, 4}, {.tip = "<tip>"});
  svg.circle({5, 5}, 2, {.opacity = 0.5});
  svg.polygon(corners, {.stroke = "none"});
  svg.polyline(corners, {.width = 2.0, .dashes = "4 2"});
  svg.bezier({0, 0}, {1, 0}, {2, 3}, {3, 3}, {.opacity = 0.25});
  svg.text(4, 5, "up", {.anchor = Anchor::kEnd, .bold = true, .turn = -90});
  const auto reading = test::read_xml(svg.done());
  ASSERT_EQ(reading.error, "");
  EXPECT_EQ(reading.named("circle")[0].attributes.at("fill-opacity"), "0.5");
  EXPECT_EQ(reading.named("polyline")[0].attributes.at("points"), "1,2 3,4 5,6.25");
  EXPECT_EQ(reading.named("path")[0].attributes.at("d"), "M0,0 C1,0 2,3 3,3");
  EXPECT_EQ(reading.named("text")[0].attributes.at("transform"), "rotate(-90 4,5)");
}

TEST(Svg, CutsWordsToTheirRoomBetweenCharacters) {
  EXPECT_EQ(fitted("short", 10.0, 100.0), "short");
  const std::string cut = fitted("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC", 10.0, 20.0);
  EXPECT_EQ(cut, "\xC3\xA4\xC3\xB6\xE2\x80\xA6");
  EXPECT_LE(text_width(cut, 10.0), 20.0);
}

TEST(Svg, WrapsWordsAtBlanks) {
  EXPECT_THAT(wrapped("one two three  four", 10.0, 60.0), testing::ElementsAre("one two", "three four"));
  EXPECT_THAT(wrapped("extraordinarily long", 10.0, 60.0), testing::ElementsAre("extraordinarily", "long"));
  EXPECT_TRUE(wrapped("", 10.0, 60.0).empty());
}

TEST(XmlReader, FindsWhatIsNotWellFormed) {
  EXPECT_NE(test::read_xml("<a><b></a></b>").error, "");
  EXPECT_NE(test::read_xml("<a x=\"1\" x=\"2\"/>").error, "");
  EXPECT_NE(test::read_xml("<a>&</a>").error, "");
  EXPECT_NE(test::read_xml("<a/><b/>").error, "");
  EXPECT_NE(test::read_xml("<a>").error, "");
}

}  // namespace
}  // namespace kantrig::picture
