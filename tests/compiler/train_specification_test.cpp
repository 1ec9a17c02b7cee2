#include "compiler/train/specification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace kantrig::train {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = R"(name = "moons"
version = "1.0.0"
description = "two half circles"
classes = ["upper", "lower"]
features = [{ name = "x", unit = "m" }, { name = "y" }]

[model]
layers = [2, 4, 2]
bits = [6, 5, 7]
grid_size = 6
grid_low = -1.5
grid_high = 2
spline_order = 2
base_function = "gelu"

[input]
range = "deviations"
deviations = 2.5

[training]
rows = 100
epochs = 7
batch_size = 32
learning_rate = 0.01
learning_rate_decay = 0.9
weight_decay = 0.001
validation_fraction = 0.2
seed = 42

[pruning]
threshold = 1.5
start_epoch = 2
end_epoch = 5
)";

/// kGood with one piece replaced.
std::string with(std::string_view piece, std::string_view replacement) {
  std::string text(kGood);
  const std::size_t place = text.find(piece);
  EXPECT_NE(place, std::string::npos) << piece;
  return text.replace(place, piece.size(), replacement);
}

std::string error_of(std::string_view text) {
  const auto result = parse_specification(text, "spec.toml");
  return result ? "" : result.error().message;
}

TEST(Specification, ReadsEveryKey) {
  const auto result = parse_specification(kGood, "spec.toml");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->name, "moons");
  EXPECT_EQ(result->features[0].unit, "m");
  EXPECT_EQ(result->features[1].name, "y");
  EXPECT_THAT(result->classes, testing::ElementsAre("upper", "lower"));
  EXPECT_THAT(result->layers, testing::ElementsAre(2, 4, 2));
  EXPECT_THAT(result->bits, testing::ElementsAre(6, 5, 7));
  EXPECT_EQ(result->grid.size, 6U);
  EXPECT_EQ(result->grid.low, -1.5);
  EXPECT_EQ(result->grid.high, 2.0);  // an integer where a number is asked for
  EXPECT_EQ(result->grid.order, 2U);
  EXPECT_EQ(result->base, BaseFunction::kGelu);
  EXPECT_EQ(result->input.rule, RangeRule::kDeviations);
  EXPECT_EQ(result->input.deviations, 2.5);
  EXPECT_EQ(result->training.rows, 100U);
  EXPECT_EQ(result->training.epochs, 7U);
  EXPECT_EQ(result->training.seed, 42U);
  EXPECT_EQ(result->training.learning_rate_decay, 0.9);
  EXPECT_EQ(result->pruning.threshold, 1.5);
  EXPECT_EQ(result->pruning.end_epoch, 5U);
}

TEST(Specification, RefusesUnknownKeysAndNamesThem) {
  EXPECT_EQ(error_of(with("epochs = 7", "epoch = 7")), "spec.toml: training.epoch: unknown key (line 22)");
  EXPECT_EQ(error_of(with("unit = \"m\"", "units = \"m\"")),
            "spec.toml: features[0].units: unknown key (line 5)");
  EXPECT_EQ(error_of(with("[pruning]", "[prunning]")), "spec.toml: prunning: unknown key (line 30)");
}

TEST(Specification, RefusesWrongTypesAndNamesTheKey) {
  EXPECT_EQ(error_of(with("epochs = 7", "epochs = \"7\"")),
            "spec.toml: training.epochs: expected an integer from 1 to 100000");
  EXPECT_EQ(error_of(with("epochs = 7", "epochs = 7.5")),
            "spec.toml: training.epochs: expected an integer from 1 to 100000");
  EXPECT_EQ(error_of(with("\"moons\"", "5")), "spec.toml: name: expected a text in quotes");
  EXPECT_EQ(error_of(with("[2, 4, 2]", "[2, 4.5, 2]")),
            "spec.toml: model.layers: expected integers from 1 to 1024");
  EXPECT_EQ(error_of(with("[2, 4, 2]", "4")), "spec.toml: model.layers: expected a list of 1 to 17 integers");
  EXPECT_EQ(error_of(with("\"lower\"]", "3]")), "spec.toml: classes: expected texts in quotes only");
}

TEST(Specification, RefusesValuesOutOfBoundsAndNamesTheKey) {
  EXPECT_THAT(error_of(with("[6, 5, 7]", "[6, 13, 7]")),
              HasSubstr("model.bits: expected integers from 1 to 12"));
  EXPECT_THAT(error_of(with("grid_size = 6", "grid_size = 0")),
              HasSubstr("model.grid_size: expected an integer from 1"));
  EXPECT_THAT(error_of(with("spline_order = 2", "spline_order = 11")), HasSubstr("model.spline_order"));
  EXPECT_THAT(error_of(with("rate = 0.01", "rate = -1")),
              HasSubstr("training.learning_rate: expected a number"));
  EXPECT_THAT(error_of(with("rate = 0.01", "rate = nan")),
              HasSubstr("training.learning_rate: expected a number"));
  EXPECT_THAT(error_of(with("fraction = 0.2", "fraction = 1.0")), HasSubstr("training.validation_fraction"));
  EXPECT_EQ(error_of(with("\"gelu\"", "\"relu\"")),
            "spec.toml: model.base_function: is 'relu', expected one of 'silu', 'gelu', 'none'");
}

TEST(Specification, RefusesWhatIsMissing) {
  EXPECT_EQ(error_of(with("name = \"moons\"\n", "")), "spec.toml: name: is missing");
  EXPECT_THAT(error_of(with("bits = [6, 5, 7]\n", "")), HasSubstr("model.bits: expected a list"));
  EXPECT_THAT(error_of(""), HasSubstr("name: is missing"));
}

TEST(Specification, RefusesSizesThatDisagree) {
  EXPECT_THAT(error_of(with("[6, 5, 7]", "[6, 5]")), HasSubstr("model.bits: has 2 widths, expected 3"));
  EXPECT_THAT(error_of(with("[2, 4, 2]", "[3, 4, 2]")),
              HasSubstr("begins with 3 inputs, but there are 2 features"));
  EXPECT_THAT(error_of(with("[2, 4, 2]", "[2, 4, 3]")), HasSubstr("ends with 3 outputs for 2 classes"));
  EXPECT_THAT(error_of(with("grid_low = -1.5", "grid_low = 2.0")), HasSubstr("model.grid_high"));
  EXPECT_THAT(error_of(with("end_epoch = 5", "end_epoch = 9")), HasSubstr("pruning.end_epoch"));
  EXPECT_THAT(error_of(with("end_epoch = 5", "end_epoch = 2")), HasSubstr("pruning.end_epoch"));
  EXPECT_EQ(error_of(with("\"lower\"]", "\"upper\"]")), "spec.toml: classes: 'upper' is there twice");
  EXPECT_EQ(error_of(with("name = \"y\"", "name = \"x\"")), "spec.toml: features: 'x' is there twice");
  EXPECT_THAT(error_of(with("\"moons\"", "\"../moons\"")), HasSubstr("name: '../moons' must be"));
}

TEST(Specification, OneOutputServesTwoClasses) {
  EXPECT_EQ(error_of(with("[2, 4, 2]", "[2, 4, 1]")), "");
}

TEST(Specification, TellsTheLineOfASyntaxError) {
  EXPECT_THAT(error_of(with("classes = [", "classes = [[")), HasSubstr("spec.toml: line "));
}

}  // namespace
}  // namespace kantrig::train
