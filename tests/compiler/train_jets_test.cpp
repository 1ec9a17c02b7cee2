// The shipped bundle `jets`, and the trainer on the slice of real jets beside the tests.
#include "base/digest.hpp"
#include "base/file.hpp"
#include "compiler/train/data_files.hpp"
#include "compiler/train/package.hpp"
#include "kan/bundle.hpp"
#include "kan/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace kantrig::train {
namespace {

const std::filesystem::path kSource = KANTRIG_SOURCE_DIR;
const std::filesystem::path kSpecification = kSource / "firmware/models/jets/spec.toml";
const std::filesystem::path kBundle = kSource / "firmware/models/jets/jets-1.1.0";
constexpr std::size_t kSpecificationBytesMax = 1U << 20U;

Specification specification() {
  const auto text = base::read_file(kSpecification, kSpecificationBytesMax);
  auto parsed = parse_specification(*text, kSpecification.string());
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return std::move(*parsed);
}

Dataset slice() {
  const auto folder = kSource / "tests/data";
  auto data = read_dataset(
      specification(),
      {.x = folder / "jets16_slice_x.npy", .y = folder / "jets16_slice_y.npy", .class_column = {}});
  EXPECT_TRUE(data) << (data ? "" : data.error().message);
  return std::move(*data);
}

TEST(Jets, TheShippedBundleIsRightOnAtLeast65PercentOfJetsItNeverSaw) {
  const auto bundle = kan::load_bundle(kBundle);
  ASSERT_TRUE(bundle) << bundle.error().message;
  const Dataset data = slice();
  ASSERT_EQ(data.rows(), 20'000U);
  std::size_t right = 0;
  std::vector<std::uint16_t> codes(bundle->model.inputs.size());
  for (std::size_t event = 0; event < data.rows(); ++event) {
    for (std::size_t j = 0; j < codes.size(); ++j)
      codes[j] = kan::reference_code(bundle->model.inputs[j], data.values[event * codes.size() + j]).value();
    const auto outputs = kan::reference_outputs(bundle->model, codes);
    right += kan::reference_class(bundle->model, outputs) == data.classes[event] ? 1 : 0;
  }
  RecordProperty("right", static_cast<int>(right));
  EXPECT_GE(right, 13'000U);
}

TEST(Jets, TheShippedBundleNamesTheSpecificationBesideIt) {
  const auto bundle = kan::load_bundle(kBundle);
  ASSERT_TRUE(bundle) << bundle.error().message;
  const auto text = base::read_file(kSpecification, kSpecificationBytesMax);
  ASSERT_TRUE(text);
  EXPECT_EQ(bundle->provenance.specification_sha256, base::sha256(*text).hex());
}

TEST(Jets, TheShippedBundleIsSmallEnoughForOneRegisterPerTable) {
  const auto bundle = kan::load_bundle(kBundle);
  ASSERT_TRUE(bundle) << bundle.error().message;
  std::size_t edges = 0;
  for (const kan::Layer& layer : bundle->model.layers) {
    edges += layer.edges.size();
    for (const kan::Edge& edge : layer.edges) {
      const auto begin = layer.tables.begin() + edge.table_offset;
      EXPECT_LE(layer.input_codes[edge.input], 64U);
      const auto [low, high] = std::minmax_element(begin, begin + layer.input_codes[edge.input]);
      EXPECT_LE(*high - *low, 255);
    }
  }
  EXPECT_LE(edges, 160U);
}

}  // namespace
}  // namespace kantrig::train
