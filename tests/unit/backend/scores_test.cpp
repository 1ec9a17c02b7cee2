#include "backend/card/scores.hpp"

#include <gtest/gtest.h>

#include "contract/kernels/random_model.hpp"
#include "kan/reference.hpp"

namespace kantrig::test {
namespace {

struct Columns {
  Columns(std::uint32_t outputs, std::uint32_t events, std::uint64_t seed, std::int32_t low,
          std::int32_t high)
      : columns(outputs, std::vector<std::int16_t>((events + 63) / 64 * 64)) {
    Random random(seed);
    for (auto& column : columns) {
      for (std::int16_t& score : column) score = static_cast<std::int16_t>(draw(random, low, high));
      pointers.push_back(column.data());
    }
  }
  std::vector<std::vector<std::int16_t>> columns;
  std::vector<const std::int16_t*> pointers;
};

kan::Model model_of(std::uint32_t outputs, std::int32_t low, std::int32_t high) {
  return random_model(
      {.name = "", .input_bits = {3}, .nodes = {outputs}, .output_low = low, .output_high = high}, 1);
}

TEST(Scores, GiveTheReferencesClassTiesIncluded) {
  for (const std::uint32_t outputs : {1U, 2U, 3U, 5U, 16U, 256U}) {
    const kan::Model model = model_of(outputs, -3, 3);
    const backend::Scores scores(model);
    for (const std::uint32_t events : {1U, 63U, 64U, 65U, 500U}) {
      const Columns columns(outputs, events, outputs * 1'000 + events, -3, 3);
      std::vector<std::uint8_t> classes((events + 63) / 64 * 64);
      ASSERT_TRUE(scores.classify(columns.pointers, events, classes.data()));
      for (std::uint32_t i = 0; i < events; ++i) {
        std::vector<std::int16_t> event;
        for (const auto& column : columns.columns) event.push_back(column[i]);
        ASSERT_EQ(classes[i], kan::reference_class(model, event)) << outputs << " outputs, event " << i;
      }
    }
  }
}

TEST(Scores, OneThatTheModelCannotGiveIsFoundWhereverItIs) {
  const backend::Scores scores(model_of(3, -100, 90));
  for (const std::uint32_t events : {1U, 64U, 70U, 200U}) {
    Columns columns(3, events, events, -100, 90);
    std::vector<std::uint8_t> classes((events + 63) / 64 * 64);
    for (std::uint32_t i = 0; i < columns.columns[0].size(); ++i) {
      std::int16_t& score = columns.columns[i % 3][i];
      const std::int16_t right = score;
      for (const int wrong : {-101, 91, -32'768, 32'767}) {
        score = static_cast<std::int16_t>(wrong);
        EXPECT_EQ(scores.classify(columns.pointers, events, classes.data()), i >= events)
            << "event " << i << " of " << events << ": what lies behind them is nobody's";
      }
      score = right;
    }
  }
}

}  // namespace
}  // namespace kantrig::test
