// A card whose model ends in an output stage: the card gives the nodes of the last layer, the score is made
// here.
#include <gmock/gmock.h>

#include "contract/kernels/random_autoencoder.hpp"
#include "unit/backend/seat_room.hpp"

namespace kantrig::test {
namespace {

using backend::Route;
using backend::SeatState;

kan::Model autoencoder() {
  const ModelShape shape{.name = "", .input_bits = {6, 6, 5, 3, 4}, .nodes = {3, 5}, .entry_max = 60};
  return with_random_stage(random_model(shape, 3), {.measure = kan::DistanceMeasure::kSquared, .shift = 2},
                           3);
}

class CardSeatDistanceTest : public SeatRoom {
 protected:
  explicit CardSeatDistanceTest(backend::SeatOptions options = {}) : SeatRoom(options, autoencoder()) {}

  /// Hands a batch to the card and waits for it.
  void decide(backend::Workspace& space, const SeatBatch& batch) {
    EXPECT_EQ(space.begin(batch.payload(), {}, 0), 0U);
    ASSERT_FALSE(space.done());
    seat_.flush(clock_.now);
    ASSERT_EQ(serve(), 1U);
    poll();
    ASSERT_TRUE(space.done());
  }
};

TEST_F(CardSeatDistanceTest, TheCardGivesNodesAndTheBatchHasTheReferencesScores) {
  bring_up();
  const auto space = workspace();
  for (const std::uint32_t events : {1U, 63U, 64U, 65U, 700U, 9U}) {
    SCOPED_TRACE(events);
    const SeatBatch batch(data_, events, events);
    ASSERT_NO_FATAL_FAILURE(decide(*space, batch));
    EXPECT_EQ(space->path(), wire::Path::kFpga);
    ASSERT_NO_FATAL_FAILURE(batch.expect(*space));
  }
  EXPECT_EQ(seat_.probe().events.value(), 1U + 63U + 64U + 65U + 700U + 9U);
}

TEST_F(CardSeatDistanceTest, BothClassesOccurAmongTheScores) {
  const SeatBatch batch(data_, 700, 700);
  EXPECT_THAT(batch.classes, testing::Contains(0));
  EXPECT_THAT(batch.classes, testing::Contains(1));
}

TEST_F(CardSeatDistanceTest, ANodeThatTheModelCannotGiveIsTakenOver) {
  bring_up();
  card_.fault = CardFault::kImpossible;
  const SeatBatch batch(data_, 100, 2);
  const auto space = workspace();
  ASSERT_NO_FATAL_FAILURE(decide(*space, batch));
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  EXPECT_EQ(seat_.probe().cross_check_failures.value(), 1U);
  ASSERT_NO_FATAL_FAILURE(batch.expect(*space));
}

class CardSeatWrongNodeTest : public CardSeatDistanceTest {
 protected:
  CardSeatWrongNodeTest() : CardSeatDistanceTest({.cross_check = 1.0}) {}
};

TEST_F(CardSeatWrongNodeTest, AWrongNodeShowsInTheScoreThatIsCrossChecked) {
  bring_up();
  card_.fault = CardFault::kFlipBit;
  const SeatBatch batch(data_, 100, 2);
  const auto space = workspace();
  ASSERT_NO_FATAL_FAILURE(decide(*space, batch));
  EXPECT_EQ(space->path(), wire::Path::kCpu);
  EXPECT_EQ(seat_.probe().cross_check_failures.value(), 1U);
  ASSERT_NO_FATAL_FAILURE(batch.expect(*space));
}

TEST_F(CardSeatDistanceTest, LayoutsAreOfTheNodesAndNotOfTheScore) {
  join();
  kan::RecordLayout one = dense_output(data_);
  one.fields.resize(1);
  const auto placed = model_->set_place(0, {kLoad, dense_input(data_), one});
  ASSERT_FALSE(placed);
  EXPECT_THAT(placed.error().message,
              testing::HasSubstr("takes 5 codes and gives 1 scores, expected 5 and 5"));
}

}  // namespace
}  // namespace kantrig::test
