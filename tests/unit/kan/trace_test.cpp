// A trace is the reference evaluation with its inside shown.
#include "kan/trace.hpp"

#include <gtest/gtest.h>

#include "unit/kan/small_bundle.hpp"

namespace kantrig::kan {
namespace {

TEST(Trace, EndsWithTheReferenceOutputsForEveryInput) {
  const Model model = test::small_model();
  for (std::uint16_t code = 0; code < 16; ++code) {
    const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(code % 4),
                                           static_cast<std::uint16_t>(code / 4)};
    const auto layers = trace(model, codes);
    ASSERT_EQ(layers.size(), 2U);
    EXPECT_EQ(layers.back().outputs, reference_outputs(model, codes));
    for (std::size_t k = 0; k < layers[0].outputs.size(); ++k)
      EXPECT_EQ(static_cast<std::int32_t>(layers[1].codes[k]),
                layers[0].outputs[k] - model.layers[0].nodes[k].low);
  }
}

TEST(Trace, ShowsSumsAndWhatTheClampMakesOfThem) {
  const Model model = test::small_model();
  const std::vector<std::uint16_t> codes{3, 1};
  const auto layers = trace(model, codes);
  // Node 0: bias 1 + table {-9, -2, 3, 300} at 3 + table {5, 4, -4, -5} at 1; (305 + 1) >> 1 = 153, clamped
  // to 3.
  EXPECT_EQ(layers[0].codes, (std::vector<std::uint32_t>{3, 1}));
  EXPECT_EQ(layers[0].sums, (std::vector<std::int32_t>{305, 1}));
  EXPECT_EQ(layers[0].outputs, (std::vector<std::int16_t>{3, 1}));
}

}  // namespace
}  // namespace kantrig::kan
