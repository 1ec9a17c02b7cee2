// kantrig explain: text, JSON and picture of one event.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "kan/bundle.hpp"
#include "support/command.hpp"
#include "support/temporary_folder.hpp"
#include "support/xml_elements.hpp"
#include "unit/kan/small_autoencoder.hpp"

namespace kantrig {
namespace {

using testing::HasSubstr;

const std::string kExplain = std::string(KANTRIG_BINARY_DIR) + "/bin/kantrig explain ";
const std::string kJets = std::string(KANTRIG_SOURCE_DIR) + "/firmware/models/jets/jets-1.1.0";
const std::string kMenu = std::string(KANTRIG_SOURCE_DIR) + "/config/menu.toml";

/// Two events as named columns, with a class: one in the middle of every range, one far outside.
std::filesystem::path write_events(const std::filesystem::path& folder) {
  const auto bundle = kan::load_bundle(kJets);
  EXPECT_TRUE(bundle);
  std::string header;
  std::string middle;
  std::string outside;
  for (std::size_t j = 0; j < bundle->features.size(); ++j) {
    const kan::InputFeature& input = bundle->model.inputs[j];
    header += bundle->features[j].name;
    header += ',';
    middle += fmt::format("{},", (30.0F - input.offset) / input.scale);
    outside += fmt::format("{},", (200.0F - input.offset) / input.scale);
  }
  const auto path = folder / "events.csv";
  EXPECT_TRUE(base::write_file_atomic(path, header + "class\n" + middle + "t\n" + outside + "g\n"));
  return path;
}

TEST(ExplainCommand, GivesJsonWhoseNumbersAddUpAndThatTheMenuAgreesWith) {
  const test::TemporaryFolder folder;
  const auto events = write_events(folder.path()).string();
  const auto run =
      test::run_command(kExplain + kJets + " " + events + " --label class --event 1 --json --menu " + kMenu);
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const auto json = nlohmann::json::parse(run.output);
  ASSERT_EQ(json["features"].size(), 16U);
  EXPECT_EQ(json["features"][0]["range"], "above");
  EXPECT_EQ(json["features"][0]["code"], 63);
  for (const auto& layer : json["layers"]) {
    for (const auto& node : layer) {
      int sum = node["baseline"];
      for (const auto& edge : node["edges"]) sum += edge["contribution"].get<int>();
      EXPECT_EQ(sum, node["sum"].get<int>());
    }
  }
  const std::string event_class = json["class"];
  for (const auto& line : json["menu"]["lines"]) {
    EXPECT_EQ(line["fires"], line["condition"]["holds"]) << line["name"];
    if (line["name"] == "qcd_monitor") {
      EXPECT_EQ(line["fires"].get<bool>(), event_class == "q" || event_class == "g");
    }
  }
}

TEST(ExplainCommand, TeachesInTextAndDrawsAPicture) {
  const test::TemporaryFolder folder;
  const auto events = write_events(folder.path()).string();
  const std::string picture = (folder.path() / "why.svg").string();
  const auto run = test::run_command(kExplain + kJets + " " + events + " --label class --menu " + kMenu +
                                     " --picture " + picture);
  ASSERT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("Effect of each feature"));
  EXPECT_THAT(run.output, HasSubstr("mass_mmdt"));
  EXPECT_THAT(run.output, HasSubstr("top_tag (accept)"));
  const auto svg = base::read_file(picture, 1 << 24);
  ASSERT_TRUE(svg);
  const auto reading = test::read_xml(*svg);
  EXPECT_EQ(reading.error, "");
  EXPECT_EQ(test::outside_of_picture(reading), "");
  EXPECT_THAT(*svg, HasSubstr(">mass_mmdt<"));
  EXPECT_THAT(*svg, HasSubstr(">top_tag<"));
}

TEST(ExplainCommand, TellsWhichReconstructionsMakeAnAnomaly) {
  const test::TemporaryFolder folder;
  const std::string bundle = (folder.path() / "auto").string();
  const auto written = kan::write_bundle(test::small_autoencoder_bundle(), bundle, kan::Overwrite::kRefuse);
  ASSERT_TRUE(written) << written.error().message;
  const std::string events = (folder.path() / "events.csv").string();
  ASSERT_TRUE(base::write_file_atomic(events, "mass,multiplicity\n3,1\n"));
  const std::string picture = (folder.path() / "why.svg").string();
  const auto run = test::run_command(kExplain + bundle + " " + events + " --picture " + picture);
  ASSERT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("class   anomaly"));
  EXPECT_THAT(run.output, HasSubstr("their sum is 7"));
  EXPECT_TRUE(std::filesystem::exists(picture));
}

TEST(ExplainCommand, SaysWhatIsWrongWithWhatItGets) {
  const test::TemporaryFolder folder;
  const auto events = write_events(folder.path()).string();
  const auto beyond = test::run_command(kExplain + kJets + " " + events + " --label class --event 2 2>&1");
  EXPECT_EQ(beyond.exit_code, 3);
  EXPECT_THAT(beyond.output, HasSubstr("has 2 events"));
  const auto column = test::run_command(kExplain + kJets + " " + events + " --label class --menu " + kMenu +
                                        " --column nights 2>&1");
  EXPECT_EQ(column.exit_code, 3);
  EXPECT_THAT(column.output, HasSubstr("expected one of physics calibration"));
  const auto picture =
      test::run_command(kExplain + kJets + " " + events + " --label class --picture a.gif 2>&1");
  EXPECT_EQ(picture.exit_code, 5);
  EXPECT_EQ(test::run_command(kExplain + kJets + " 2>&1").exit_code, 2);
}

}  // namespace
}  // namespace kantrig
