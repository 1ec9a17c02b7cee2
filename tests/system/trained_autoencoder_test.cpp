// From spectra to events that fire: kanc trains an autoencoder of the shape 64-16-8-16-64, a real daemon
// decides sounds on its anomaly score, and every count is the reference evaluator's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/core.h>

#include <map>

#include "base/file.hpp"
#include "client/client.hpp"
#include "kan/bundle.hpp"
#include "kan/reference.hpp"
#include "support/command.hpp"
#include "support/daemon.hpp"
#include "support/machine_sounds.hpp"

namespace kantrig::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 20'261'122;
constexpr std::uint32_t kBatches = 8;
constexpr std::uint32_t kEvents = 500;

CommandOutcome kanc(const std::string& arguments) {
  return run_command(fmt::format("'" KANTRIG_BINARY_DIR "/bin/kanc' {} 2>&1", arguments));
}

class TrainedAutoencoderTest : public testing::Test {
 protected:
  void SetUp() override {
    write("spec.toml", sound_specification(8));
    write("normal.csv", sounds_csv(machine_sounds(2'000, 0, kSeed), false));
    const auto trained = kanc(fmt::format("train {} --x {} --out {} --quiet", path("spec.toml"),
                                          path("normal.csv"), path("models/sounds-1.0.0")));
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const auto bundle = kan::load_bundle(daemon_.models() / "sounds-1.0.0");
    ASSERT_TRUE(bundle) << bundle.error().message;
    bundle_ = *bundle;
    limit_ = bundle_.model.class_above() * bundle_.model.output_scales[0];
  }
  void write(const char* name, const std::string& text) const {
    ASSERT_TRUE(base::write_file_atomic(daemon_.folder() / name, text));
  }
  [[nodiscard]] std::string path(const char* name) const { return (daemon_.folder() / name).string(); }

  /// Between the last score that is normal and the first that is not, in real units.
  [[nodiscard]] double menu_limit() const { return limit_ + 0.5 * bundle_.model.output_scales[0]; }
  [[nodiscard]] std::map<std::string, std::uint64_t> expected_counts(const MachineSounds& sounds) const {
    std::map<std::string, std::uint64_t> counts{{"strange", 0}, {"usual", 0}, {"named", 0}};
    for (std::size_t row = 0; row < sounds.rows(); ++row) {
      std::vector<std::uint16_t> codes;
      for (std::size_t i = 0; i < kSoundBands; ++i)
        codes.push_back(
            kan::reference_code(bundle_.model.inputs[i], sounds.values[row * kSoundBands + i]).value());
      const double score = bundle_.model.output_scales[0] * kan::reference_outputs(bundle_.model, codes)[0];
      counts["strange"] += score > menu_limit() ? 1 : 0;
      counts["named"] += score > limit_ ? 1 : 0;
      counts["usual"] += score < limit_ / 2 ? 1 : 0;
    }
    return counts;
  }

  Daemon daemon_{{"model.active=sounds-1.0.0"}};
  kan::Bundle bundle_;
  double limit_ = 0.0;
};

TEST_F(TrainedAutoencoderTest, MenuLinesOnItsScoreFireAsOftenAsTheReferenceSays) {
  write("menu.toml", fmt::format(R"(
version = 1
name = "sounds"
[[line]]
name = "strange"
when = "score(anomaly) > {}"
[[line]]
name = "usual"
when = "score(anomaly) < {}"
[[line]]
name = "named"
when = "class == anomaly"
)",
                                 menu_limit(), limit_ / 2));
  const auto started = daemon_.start();
  ASSERT_TRUE(started) << started.error().message;
  client::Options options;
  options.endpoint = daemon_.events_endpoint();
  auto client = client::Client::connect(options);
  ASSERT_TRUE(client) << client.error().message;
  const MachineSounds sounds = machine_sounds(std::size_t{kBatches} * kEvents, 4, kSeed + 1);
  for (std::uint32_t b = 0; b < kBatches; ++b) {
    const auto rows =
        std::span(sounds.values)
            .subspan(std::size_t{b} * kEvents * kSoundBands, std::size_t{kEvents} * kSoundBands);
    const auto decided =
        client->decide(client::Batch::of_floats(std::vector<float>(rows.begin(), rows.end()), kSoundBands));
    ASSERT_TRUE(decided) << decided.error().message;
  }
  ASSERT_TRUE(client->close(10'000));
  const auto record = daemon_.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  const auto expected = expected_counts(sounds);
  ASSERT_EQ(record->lines_size(), 3);
  for (const v1::LineStatus& line : record->lines()) {
    EXPECT_EQ(line.before_prescale(), expected.at(line.name())) << line.name() << ", seed " << kSeed;
    EXPECT_GT(line.before_prescale(), 100U) << line.name() << " should fire";
  }
  EXPECT_EQ(expected.at("strange"), expected.at("named"));
  EXPECT_LT(expected.at("strange"), kBatches * kEvents / 2) << "a quarter of the sounds are anomalies";
  EXPECT_EQ(record->totals().residual(), 0);
}

TEST_F(TrainedAutoencoderTest, ItsCheckpointIsImportedAndAFloatOneIsQuantisedToTheSameKindOfScore) {
  const auto imported = kanc(fmt::format("import checkpoint {} --score absolute --anomaly-above {} --out {}",
                                         path("models/sounds-1.0.0.kan"), limit_, path("imported-1.0.0")));
  ASSERT_EQ(imported.exit_code, 0) << imported.output;
  const auto bundle = kan::load_bundle(daemon_.folder() / "imported-1.0.0");
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_THAT(bundle->classes, testing::ElementsAre("normal", "anomaly"));
  EXPECT_EQ(bundle->model.output_stage->targets, bundle_.model.output_stage->targets);
  EXPECT_EQ(bundle->model.class_above() * bundle->model.output_scales[0], limit_);
  const auto needs = kanc(fmt::format("import checkpoint {} --score absolute --out {}",
                                      path("models/sounds-1.0.0.kan"), path("never-1.0.0")));
  EXPECT_EQ(needs.exit_code, 2) << needs.output;
  EXPECT_THAT(needs.output, HasSubstr("--anomaly-above"));

  write("mixed.csv", sounds_csv(machine_sounds(800, 4, kSeed + 2), true));
  std::string in_floats = sound_specification(8);
  in_floats.insert(in_floats.find("grid_size"), "quantized = false\n");
  write("float.toml", in_floats);
  const auto trained = kanc(fmt::format("train {} --x {} --out {} --quiet", path("float.toml"),
                                        path("normal.csv"), path("float.kan")));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto quantised = kanc(fmt::format("quantize {} --x {} --bits 6,8,8,8,8 --score squared --out {}",
                                          path("float.kan"), path("normal.csv"), path("quantised-1.0.0")));
  ASSERT_EQ(quantised.exit_code, 0) << quantised.output;
  for (const char* name : {"models/sounds-1.0.0", "imported-1.0.0", "quantised-1.0.0"}) {
    const auto judged = kanc(fmt::format("evaluate {} --x {} --y {} --label kind --json", path(name),
                                         path("mixed.csv"), path("mixed.csv")));
    ASSERT_EQ(judged.exit_code, 0) << judged.output;
    const std::size_t found = judged.output.rfind("\"anomaly\": ");
    ASSERT_NE(found, std::string::npos) << judged.output;
    EXPECT_GT(std::stod(judged.output.substr(found + 11)), 0.9) << name << judged.output;
  }
}

}  // namespace
}  // namespace kantrig::test
