// A real daemon with an autoencoder of the shape 64-16-8-16-64 and a menu on its anomaly score, held to the
// reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/file.hpp"
#include "kan/reference.hpp"
#include "support/autoencoder_bundle.hpp"
#include "support/command.hpp"
#include "support/daemon.hpp"
#include "system/checked_lane.hpp"

namespace kantrig::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 20'260'611;
constexpr double kFar = 187.6;
constexpr double kNear = 165.0;
constexpr double kAnomaly = 180.0;  // of the stage

constexpr const char* kMenu = R"(
version = 1
name = "sounds"
columns = ["physics", "calibration"]

[[line]]
name = "far"
when = "score(anomaly) >= 187.6"

[[line]]
name = "near"
when = "score(anomaly) < 165"
prescale = { physics = 1, calibration = 7 }

[[line]]
name = "suspect"
when = "class == anomaly and not score(anomaly) >= 187.6"
kind = "veto"

[[line]]
name = "sample"
when = "any"
prescale = 100
)";

class AutoencoderTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto bundle = sound_bundle(kan::DistanceMeasure::kAbsolute, kAnomaly, kSeed);
    ASSERT_TRUE(bundle) << bundle.error().message;
    const auto written = kan::write_bundle(*bundle, folder(), kan::Overwrite::kRefuse);
    ASSERT_TRUE(written) << written.error().message;
    bundle_ = kan::load_bundle(folder()).value();
    ASSERT_TRUE(base::write_file_atomic(daemon_.menu_file(), kMenu));
  }
  [[nodiscard]] fs::path folder() const { return daemon_.models() / "sound-1.0.0"; }
  /// A program of ours on the bundle.
  static CommandOutcome run(const std::string& name, const std::string& arguments) {
    return run_command(program(name).string() + " " + arguments + " 2>&1");
  }

  Daemon daemon_{{"model.active=sound-1.0.0"}};
  kan::Bundle bundle_;
};

TEST_F(AutoencoderTest, DecidesEveryBatchOfALoadAsTheReferenceDoes) {
  ReferenceDecisions reference(EventPool::random(bundle_.model, kSeed).value());
  reference.add_model(bundle_);
  ASSERT_TRUE(reference.add_menu(kMenu));
  const auto started = daemon_.start();
  ASSERT_TRUE(started) << started.error().message;
  auto load =
      CheckedLoad::start(reference, {.endpoint = daemon_.events_endpoint(), .lanes = 2, .seed = kSeed});
  ASSERT_TRUE(load) << load.error().message;
  ASSERT_TRUE((*load)->progress().wait_for(150)) << daemon_.log();
  ASSERT_TRUE(daemon_.set_column("calibration"));
  ASSERT_TRUE((*load)->progress().wait_for(150)) << daemon_.log();
  (*load)->finish();
  expect_each_event_decided_once(**load);
  const auto record = daemon_.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  expect_same_blocks(**load, reference, {*record});
  expect_clients_agree(**load, *record);
  EXPECT_EQ(record->totals().residual(), 0);
  EXPECT_EQ(daemon_.terminate(), 0);
}

/// How many of `rows` fulfil each line's condition, by real numbers.
std::map<std::string, std::uint64_t> expected_counts(const kan::Model& model, std::span<const float> rows) {
  std::map<std::string, std::uint64_t> counts{{"far", 0}, {"near", 0}, {"suspect", 0}, {"sample", 0}};
  for (std::size_t first = 0; first < rows.size(); first += kSoundFeatures) {
    std::vector<std::uint16_t> codes;
    for (std::size_t i = 0; i < kSoundFeatures; ++i)
      codes.push_back(kan::reference_code(model.inputs[i], rows[first + i]).value());
    const double score = model.output_scales[0] * kan::reference_outputs(model, codes)[0];
    counts["far"] += score >= kFar ? 1 : 0;
    counts["near"] += score < kNear ? 1 : 0;
    counts["suspect"] += score > kAnomaly && score < kFar ? 1 : 0;
    counts["sample"] += 1;
  }
  return counts;
}

TEST_F(AutoencoderTest, LinesOnTheAnomalyScoreFireAsOftenAsTheRealScoresSay) {
  constexpr std::uint32_t kBatches = 20;
  constexpr std::uint32_t kEvents = 500;
  const auto started = daemon_.start();
  ASSERT_TRUE(started) << started.error().message;
  client::Options options;
  options.endpoint = daemon_.events_endpoint();
  auto client = client::Client::connect(options);
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_THAT(client->session().classes, testing::ElementsAre("normal", "anomaly"));
  std::mt19937_64 random(kSeed);
  std::vector<float> all;
  for (std::uint32_t b = 0; b < kBatches; ++b) {
    std::vector<float> rows;
    for (std::uint32_t i = 0; i < kEvents * kSoundFeatures; ++i)
      rows.push_back(static_cast<float>(random() % 1'000) * 0.008F - 4.0F);
    all.insert(all.end(), rows.begin(), rows.end());
    client::Batch batch = client::Batch::of_floats(rows, kSoundFeatures);
    batch.want_scores = batch.want_classes = true;
    const auto decided = client->decide(std::move(batch));
    ASSERT_TRUE(decided) << decided.error().message;
    ASSERT_EQ(decided->score_count, 1U);
    for (std::uint32_t i = 0; i < kEvents; ++i)
      ASSERT_EQ(decided->classes[i], decided->scores[i] * bundle_.model.output_scales[0] > kAnomaly ? 1 : 0);
  }
  ASSERT_TRUE(client->close(10'000));
  const auto record = daemon_.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  const auto expected = expected_counts(bundle_.model, all);
  ASSERT_EQ(record->lines_size(), 4);
  for (const v1::LineStatus& line : record->lines()) {
    EXPECT_EQ(line.before_prescale(), expected.at(line.name())) << line.name();
    EXPECT_GT(line.before_prescale(), 100U) << line.name() << " should fire";
  }
  EXPECT_LT(expected.at("far") + expected.at("near") + expected.at("suspect"), kBatches * kEvents);
  EXPECT_EQ(record->totals().residual(), 0);
}

TEST_F(AutoencoderTest, TheCommandLineShowsTheScoreAsIntegers) {
  const auto checked =
      run("kantrig", "menu check " + daemon_.menu_file().string() + " --model " + folder().string());
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("y >= 1501"));  // 1501 x 0.125 = 187.625
  EXPECT_THAT(checked.output, HasSubstr("y < 1320"));
  const auto verified = run("kantrig", "model verify " + folder().string() + " --kernel-set all");
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("64 of 64 vectors agree"));
  const auto shown = run("kanc", "inspect " + folder().string());
  EXPECT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_THAT(shown.output,
              HasSubstr("absolute distance of 64 nodes from the features that they reconstruct, shift 0, "
                        "0 to 4032 (504), anomaly above 1440 (180)"));
  const auto json = run("kanc", "inspect --json " + folder().string());
  EXPECT_THAT(json.output, HasSubstr("\"class_above\": 1440"));
}

TEST_F(AutoencoderTest, AMenuOfProbabilitiesIsRefusedWithWhatToSayInstead) {
  ASSERT_TRUE(base::write_file_atomic(
      daemon_.menu_file(),
      "version = 1\nname = \"p\"\n[[line]]\nname = \"l\"\nwhen = \"prob(anomaly) > 0.9\"\n"));
  const auto checked =
      run("kantrig", "menu check " + daemon_.menu_file().string() + " --model " + folder().string());
  EXPECT_EQ(checked.exit_code, 3) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("compare score(anomaly) instead"));
}

}  // namespace
}  // namespace kantrig::test
