#include "kan/verify_vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/kan/small_bundle.hpp"

namespace kantrig::kan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TextVectors, AreIntegersWithSpacesOneVectorALine) {
  const auto vectors = parse_text_vectors("1 -2\t3\r\n\n 4 5 6 \n", "in.txt");
  ASSERT_TRUE(vectors) << vectors.error().message;
  EXPECT_EQ(vectors->count, 2U);
  EXPECT_EQ(vectors->width, 3U);
  EXPECT_THAT(vectors->values, ElementsAre(1, -2, 3, 4, 5, 6));
}

TEST(TextVectors, ErrorsNameTheLine) {
  const auto message = [](std::string_view text) {
    const auto vectors = parse_text_vectors(text, "in.txt");
    return vectors ? "no error" : vectors.error().message;
  };
  EXPECT_EQ(message(""), "in.txt: holds no vector");
  EXPECT_EQ(message("1 2\n3\n"), "in.txt line 2: has 1 values, expected 2 as in the lines before");
  EXPECT_EQ(message("1 2\n3 x\n"), "in.txt line 2: expected integers and spaces, found 'x'");
  EXPECT_THAT(message("1.5\n"), HasSubstr("in.txt line 1: expected integers"));
  EXPECT_THAT(message("99999999999\n"), HasSubstr("in.txt line 1: expected integers"));
}

class VerifyVectors : public testing::Test {
 protected:
  VerifyVectors() {
    const Bundle bundle = test::small_bundle();
    inputs_ = {16, 2, {bundle.golden.inputs.begin(), bundle.golden.inputs.end()}};
    expected_ = {16, 3, {bundle.golden.outputs.begin(), bundle.golden.outputs.end()}};
  }
  Evaluator evaluator_ = Evaluator::create(test::small_model(), "scalar").value();
  TextVectors inputs_;
  TextVectors expected_;
};

TEST_F(VerifyVectors, CountsThoseThatAgree) {
  const auto result = verify_vectors(evaluator_, inputs_, expected_);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->vectors, 16U);
  EXPECT_EQ(result->agreeing, 16U);
  EXPECT_FALSE(result->first);
}

TEST_F(VerifyVectors, ReportsTheFirstDisagreement) {
  expected_.values[3 * 5 + 2] = -1;  // output 2 is always 12
  expected_.values[3 * 9 + 2] = -1;
  const auto result = verify_vectors(evaluator_, inputs_, expected_);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->agreeing, 14U);
  ASSERT_TRUE(result->first);
  EXPECT_EQ(result->first->vector, 5U);
  EXPECT_EQ(result->first->output, 2U);
  EXPECT_EQ(result->first->expected, -1);
  EXPECT_EQ(result->first->got, 12);
}

TEST_F(VerifyVectors, RunsMoreVectorsThanOneBatchHolds) {
  TextVectors inputs{0, 2, {}};
  TextVectors expected{0, 3, {}};
  for (int repeat = 0; repeat < 40; ++repeat) {
    inputs.values.insert(inputs.values.end(), inputs_.values.begin(), inputs_.values.end());
    expected.values.insert(expected.values.end(), expected_.values.begin(), expected_.values.end());
  }
  inputs.count = expected.count = 640;
  expected.values[3 * 639] += 1;
  const auto result = verify_vectors(evaluator_, inputs, expected);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->agreeing, 639U);
  EXPECT_EQ(result->first->vector, 639U);
}

TEST_F(VerifyVectors, VectorsThatDoNotFitAreRefused) {
  const auto message = [&](const TextVectors& inputs, const TextVectors& expected) {
    const auto result = verify_vectors(evaluator_, inputs, expected);
    return result ? "no error" : result.error().message;
  };
  EXPECT_EQ(message(expected_, expected_), "vectors have 3 inputs and 3 outputs, expected 2 and 3");
  EXPECT_EQ(message(inputs_, {1, 3, {0, 0, 0}}), "there are 16 input vectors and 1 expected ones");
  inputs_.values[3] = 4;
  EXPECT_EQ(message(inputs_, expected_), "input vector 1 value 1: code is 4, expected 0 to 3");
  inputs_.values[3] = -1;
  EXPECT_EQ(message(inputs_, expected_), "input vector 1 value 1: code is -1, expected 0 to 3");
}

TEST(ReplayGolden, PassesOnTheModelOfTheBundle) {
  const Bundle bundle = test::small_bundle();
  const auto evaluator = Evaluator::create(bundle.model, "auto");
  ASSERT_TRUE(evaluator);
  const auto replayed = replay_golden(bundle, *evaluator);
  EXPECT_TRUE(replayed) << replayed.error().message;
}

TEST(ReplayGolden, NamesTheFirstVectorThatDiffers) {
  Bundle bundle = test::small_bundle();
  const auto evaluator = Evaluator::create(bundle.model, "scalar");
  ASSERT_TRUE(evaluator);
  bundle.golden.outputs[3 * 4 + 2] = 13;
  const auto replayed = replay_golden(bundle, *evaluator);
  ASSERT_FALSE(replayed);
  EXPECT_EQ(replayed.error().message,
            "bundle small-1.2.0: golden vector 4 output 2: kernel set scalar gives 12, expected 13");
}

}  // namespace
}  // namespace kantrig::kan
