// Batches under way when something else happens: a swap, a drain, a farewell, the end, a client that is gone.
#include <zmq.h>

#include <algorithm>

#include "integration/late_room.hpp"

namespace kantrig::test {
namespace {

using wire::Reason;

TEST_F(LateShardTest, ShowsNoBatchTwoConditionsWhenTheModelChangesMeanwhile) {
  kan::Bundle other = small_bundle();
  std::ranges::reverse(other.model.layers[1].tables);
  other.golden = every_vector(other.model);
  other.digest = base::sha256("another");
  const std::array models{loaded_late(std::move(other), card_), model_};
  std::uint64_t sequence = 0;
  for (std::uint64_t generation = 2; generation <= 20 && !HasFailure(); ++generation) {
    std::vector<Rows> before;
    for (std::uint64_t i = 0; i < 1 + generation % kDepth; ++i) before.push_back(rows(++sequence));
    card_.begun = 0;
    card_.asks_left.fill(-1);
    for (const Rows& batch : before) send(client_, batch);
    step_until_begun(static_cast<std::uint32_t>(before.size()));
    if (generation % 3 == 0) card_.give_back_all(2);
    pipeline::Conditions next = conditions_of(models[generation % 2], std::string(kLateMenu));
    next.generation = {generation};
    next.block = {static_cast<std::uint32_t>(generation)};
    room_.adopt(next);
    const Rows after = rows(++sequence);
    card_.give_back_all();
    send(client_, after);
    for (const Rows& batch : before) {
      const Answer got = answer();
      EXPECT_EQ(got.generation, generation - 1);
      expect_reference(got, batch, models[(generation - 1) % 2]->bundle.model);
    }
    const Answer got = answer();
    EXPECT_EQ(got.generation, generation);
    expect_reference(got, after, models[generation % 2]->bundle.model);
  }
  EXPECT_GT(card_.taken_over, 0U);
  for (const auto& closed : room_.shard().books().closed_blocks()) {
    const std::uint64_t generation = closed.counts.key.generation.value;
    const std::uint64_t begun_under_it = generation == 1 ? 3 : 1 + 1 + (generation + 1) % kDepth;
    EXPECT_EQ(closed.counts.batches, begun_under_it) << "block of generation " << generation;
  }
}

TEST_F(LateShardTest, AnswersEverythingBeforeADrainIsAcknowledged) {
  send(1);
  step_until_begun(1);
  pipeline::Conditions draining = conditions_of(model_, std::string(kLateMenu));
  draining.draining = true;
  draining.block = {2};
  room_.adopt(draining);
  expect_answer(1, wire::Path::kCpu);
  send(2);
  step_until_begun(2);
  EXPECT_FALSE(room_.shard().drained());
  client_.send(wire::DrainAck{{7}, {0}, {2}});
  expect_answer(2, wire::Path::kCpu);
  step_on();
  EXPECT_TRUE(room_.shard().drained());
  send(3);
  EXPECT_EQ(answer().reason, Reason::kCredit);
}

TEST_F(LateShardTest, AnswersEverythingBeforeAFarewell) {
  send(1);
  send(2);
  step_until_begun(2);
  client_.send(wire::Bye{{7}, {0}, {1}, 8, 0, 0, 0, 0});
  expect_answer(1, wire::Path::kCpu);
  expect_answer(2, wire::Path::kCpu);
  const wire::ServerMessage* echo = room_.answer_to(client_);
  ASSERT_TRUE(echo != nullptr && echo->kind == wire::ServerMessageKind::kBye);
  const auto goodbye = room_.shard().next_goodbye();
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->ledger.received, 8U);
}

TEST_F(LateShardTest, DecidesWhatIsUnderWayWhenItEnds) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) send(sequence);
  step_until_begun(5);
  room_.shard().end();
  EXPECT_EQ(room_.counts().totals.received, 20U);
  EXPECT_EQ(card_.taken_over, 5U);
}

TEST_F(LateShardTest, HasNothingInItsBooksOfABatchThatWasUnderWayWhenItWasKilled) {
  card_.give_back(0);
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) send(sequence);
  expect_answer(1, wire::Path::kFpga);
  step_until_begun(4);
  room_.reopen();
  room_.adopt(conditions_of(model_, std::string(kLateMenu)));
  EXPECT_EQ(room_.counts().totals.received, 4U);
  RawClient again = room_.connect("client of source 7");
  EXPECT_EQ(greet(again, {7}).next_sequence.value, 2U);
  card_.give_back_all();
  for (std::uint64_t sequence = 2; sequence <= 4; ++sequence) send(again, rows(sequence));
  for (std::uint64_t sequence = 2; sequence <= 4; ++sequence) {
    const Answer got = answer(again);
    EXPECT_EQ(got.sequence, sequence);
    EXPECT_FALSE(got.duplicate);
  }
  EXPECT_EQ(room_.counts().totals.received, 16U);
}

TEST_F(LateShardTest, EntersTheBatchesOfAClientThatWentAwayAndKeepsItsLaneMeanwhile) {
  send(1);
  send(2);
  step_until_begun(2);
  { const RawClient gone = std::move(client_); }
  room_.clock.now += 2 * options().lane_timeout_ns;
  step_on();
  EXPECT_EQ(room_.shard().probe().lanes_live.value(), 1.0) << "answers are owed to it";
  card_.give_back_all();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (room_.counts().totals.received < 8U && std::chrono::steady_clock::now() < deadline) step_on();
  EXPECT_EQ(room_.counts().totals.received, 8U);
  room_.clock.now += 200'000'000;
  step_on();
  EXPECT_EQ(room_.shard().probe().lanes_live.value(), 0.0);
  client_ = room_.connect("client of source 7");
  EXPECT_EQ(greet(client_, {7}).next_sequence.value, 3U);
  send(1);
  EXPECT_TRUE(answer().duplicate);
}

/// A connection that sends and never reads, with next to no room for what it is sent.
class Deaf {
 public:
  explicit Deaf(const std::string& endpoint)
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_DEALER)) {
    const int one = 1, none = 0, small = 4'096;
    zmq_setsockopt(socket_, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(socket_, ZMQ_RCVBUF, &small, sizeof small);
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    EXPECT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
  }
  ~Deaf() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  void send(const wire::Hello& hello) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    EXPECT_GE(zmq_send(socket_, room.data(), wire::encode_hello(hello, room), 0), 0);
  }
  void send(const Rows& rows) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    EXPECT_GE(zmq_send(socket_, room.data(), wire::encode_header(rows.header, room), ZMQ_SNDMORE), 0);
    EXPECT_GE(zmq_send(socket_, rows.codes.data(), rows.codes.size(), 0), 0);
  }

 private:
  void* context_;
  void* socket_;
};

TEST_F(LateShardTest, EntersTheBatchesOfALaneThatIsCutMeanwhile) {
  pipeline::ShardOptions strict = options();
  strict.events_per_batch_max = 4'096;
  strict.ledger.answer_bytes_kept = 8U << 20;
  strict.credit = {1'000'000, 100'000'000, 64};
  strict.unsent_answers_max = 2;
  strict.socket.send_hwm = 1;
  strict.socket.kernel_buffer_bytes = 4'096;
  ShardRoom room(strict);
  room.adopt(conditions_of(model_, std::string(kLateMenu)));
  Deaf deaf(room.endpoint());
  deaf.send(wire::Hello{wire::kProtocol, {7}, {0}, "deaf", 1});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::uint64_t sequence = 0;
  while (room.shard().probe().lanes_cut.value() == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "never cut";
    const std::uint32_t begun = card_.begun;
    card_.asks_left.fill(-1);
    for (std::uint32_t i = 0; i < kDepth; ++i) deaf.send(rows(++sequence, 4'096));
    while (card_.begun < begun + kDepth && room.shard().probe().lanes_cut.value() == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "batches are not begun";
      static_cast<void>(room.shard().do_work());
    }
    card_.give_back_all();
    for (int i = 0; i < 20; ++i) static_cast<void>(room.shard().do_work());
  }
  EXPECT_EQ(room.counts().batches, card_.begun) << "every batch that was begun is in the books";
  EXPECT_EQ(room.counts().totals.residual(), 0);
  RawClient again = room.connect("again");
  again.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  const wire::ServerMessage* message = room.answer_to(again);
  ASSERT_TRUE(message != nullptr && message->kind == wire::ServerMessageKind::kWelcome);
  EXPECT_EQ(message->welcome.next_sequence.value, card_.begun + 1);
}

}  // namespace
}  // namespace kantrig::test
