// A real shard, its seat and a link to a card that the test steps by hand.
#include <algorithm>
#include <chrono>
#include <deque>
#include <random>

#include "backend/card/card_model.hpp"
#include "integration/shard_room.hpp"
#include "support/test_card.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {
namespace {

constexpr std::string_view kMenu = R"(version = 1
name = "test"
[[line]]
name = "w"
when = "class == w"
)";
constexpr std::uint64_t kLoad = 3;
constexpr std::uint32_t kEvents = 16;

class ShardCardTest : public testing::Test {
 protected:
  static backend::SeatOptions seat_options(const base::Clock* clock) {
    backend::SeatOptions options;
    options.cross_check = 1.0;
    options.clock = clock;
    return options;
  }
  pipeline::ShardOptions options() {
    pipeline::ShardOptions options;
    options.ledger = {.lanes_max = 2, .batches_kept = 64, .answer_bytes_kept = 256U << 10};
    options.events_per_batch_max = 64;
    options.batches_under_way = 8;
    options.seat = &seat_;
    options.credit = {10'000, 1'000'000, 64};
    return options;
  }

  std::shared_ptr<const pipeline::LoadedModel> card_model(kan::Bundle bundle, std::uint64_t load_id) {
    auto prepared = std::make_shared<const backend::CardModel>(
        kan::Evaluator::create(bundle.model, "auto").value(), std::vector{&seat_}, bundle.golden);
    card_.load(load_id, bundle.model, dense_input(bundle.model), dense_output(bundle.model));
    const auto placed =
        prepared->set_place(0, {load_id, dense_input(bundle.model), dense_output(bundle.model)});
    EXPECT_TRUE(placed) << placed.error().message;
    return std::make_shared<const pipeline::LoadedModel>(
        pipeline::LoadedModel{.bundle = std::move(bundle), .prepared = std::move(prepared)});
  }

  void SetUp() override {
    card_.golden_events = 16;
    region_ = card_link::Region::create({.ports = 1, .slots = 4, .input_bytes = 4'096, .output_bytes = 4'096})
                  .value();
    auto bell = std::make_shared<card_link::Doorbell>(card_link::Doorbell::create().value());
    port_ = std::make_unique<card_link::CardPort>(region_, 0, card_link::Doorbell::create().value());
    ASSERT_TRUE(seat_.offer(std::make_unique<card_link::DaemonPort>(region_, 0, bell)));
    seat_.set_route(backend::Route::kCard);
    model_ = card_model(small_bundle(), kLoad);
    room_.emplace(options());
    room_->adopt(conditions_of(model_, std::string(kMenu)));
    client_.emplace(room_->connect("client"));
    client_->send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
    ASSERT_NE(room_->answer_to(*client_), nullptr);
    for (int i = 0; i < 3; ++i) step();
    ASSERT_EQ(seat_.state(), backend::SeatState::kUp);
  }
  void TearDown() override { EXPECT_EQ(room_->counts().totals.residual(), 0); }

  void serve() { served_ += card_.serve(*region_, 0, *port_, room_->clock.now); }
  void step() {
    room_->clock.now += 60'000;  // past the time for joining
    static_cast<void>(room_->shard().do_work());
    serve();
  }

  void send() {
    std::vector<std::byte> codes;
    for (std::uint32_t i = 0; i < 2 * kEvents; ++i) codes.push_back(static_cast<std::byte>(random_() % 4));
    wire::BatchHeader header;
    header.protocol_version = wire::kProtocol;
    header.source = {7};
    header.sequence = {++sent_};
    header.event_count = kEvents;
    header.feature_count = 2;
    header.encoding = wire::Encoding::kCode8;
    header.want_scores = true;
    client_->send(header, codes);
    under_way_.push_back(std::move(codes));
  }
  /// Without serving the card.
  void step_until_received(std::uint64_t batches) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (room_->shard().probe().batches.value() < batches) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "batches are not received";
      if (room_->shard().do_work() == 0) client_->wait(1);
    }
  }

  /// The next answer is of the oldest batch, with the reference's scores.
  void expect_answer(wire::Path path, const kan::Model& model, std::uint64_t generation = 1) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const wire::ServerMessage* message = nullptr;
    while (message == nullptr) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no answer";
      step();
      message = client_->receive();
      if (message == nullptr) client_->wait(1);
    }
    const wire::DecisionView& decision = message->decision;
    EXPECT_EQ(decision.reason, wire::Reason::kNone) << decision.detail;
    EXPECT_EQ(decision.sequence.value, ++answered_);
    EXPECT_EQ(decision.generation.value, generation);
    EXPECT_EQ(decision.path, path) << "sequence " << answered_;
    ASSERT_EQ(decision.scores.size(), kEvents * 3 * sizeof(std::int16_t));
    const std::vector<std::byte>& codes = under_way_.front();
    for (std::uint32_t i = 0; i < kEvents; ++i) {
      const auto outputs = kan::reference_outputs(
          model, std::vector<std::uint16_t>{static_cast<std::uint16_t>(codes[2 * i]),
                                            static_cast<std::uint16_t>(codes[2 * i + 1])});
      EXPECT_EQ(std::memcmp(decision.scores.data() + i * 6, outputs.data(), 6), 0) << "event " << i;
    }
    under_way_.pop_front();
  }
  void expect_answer(wire::Path path) { expect_answer(path, model_->bundle.model); }

  std::mt19937_64 random_{3};
  backend::CardSeat seat_{seat_options(nullptr)};
  TestCard card_;
  std::shared_ptr<card_link::Region> region_;
  std::unique_ptr<card_link::CardPort> port_;
  std::size_t served_ = 0;
  std::shared_ptr<const pipeline::LoadedModel> model_;
  std::optional<ShardRoom> room_;
  std::optional<RawClient> client_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::deque<std::vector<std::byte>> under_way_;
};

TEST_F(ShardCardTest, LetsTheCardDecideAndAnswersInOrder) {
  for (int round = 0; round < 50 && !HasFailure(); ++round) {
    for (int i = 0; i < 1 + round % 20; ++i) send();
    while (answered_ < sent_ && !HasFailure()) expect_answer(wire::Path::kFpga);
  }
  EXPECT_EQ(seat_.probe().batches.value(), sent_);
  EXPECT_EQ(seat_.probe().cross_checked_events.value(), sent_ * kEvents);
  EXPECT_LT(seat_.probe().slots.value(), sent_) << "batches share slots";
}

TEST_F(ShardCardTest, DecidesOnTheCpuWhatASilentCardHasAndGoesOn) {
  card_.fault = CardFault::kSilent;
  for (int i = 0; i < 5; ++i) send();
  step_until_received(5);
  step();
  room_->clock.now += 30'000'000;  // past the slot's deadline
  for (int i = 0; i < 5; ++i) expect_answer(wire::Path::kCpu);
  EXPECT_EQ(seat_.trouble(), backend::Trouble::kDeadline);
  EXPECT_EQ(seat_.probe().taken_over_batches.value(), 5U);
  send();
  expect_answer(wire::Path::kCpu);
}

TEST_F(ShardCardTest, DecidesAgainOnTheCpuWhatTheCardDecidedWrongly) {
  card_.fault = CardFault::kFlipLiveBit;
  card_.golden_events = 0;
  for (int i = 0; i < 5; ++i) send();
  for (int i = 0; i < 5; ++i) expect_answer(wire::Path::kCpu);
  EXPECT_EQ(seat_.trouble(), backend::Trouble::kCrossCheck);
}

TEST_F(ShardCardTest, WaitsForTheCardForAMillisecondWhenTheModelChangesThenDecidesOnTheCpu) {
  kan::Bundle other = small_bundle();
  std::ranges::reverse(other.model.layers[1].tables);
  other.golden = every_vector(other.model);
  const auto next_model = card_model(std::move(other), kLoad + 1);
  pipeline::Conditions next = conditions_of(next_model, std::string(kMenu));
  next.generation = {2};
  next.block = {2};
  card_.fault = CardFault::kSilent;
  for (int i = 0; i < 5; ++i) send();
  step_until_received(5);
  const auto begin = std::chrono::steady_clock::now();
  room_->adopt(next);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::seconds(1));  // 1 ms; the machine may be busy
  EXPECT_GT(took, std::chrono::microseconds(500));
  for (int i = 0; i < 5; ++i) expect_answer(wire::Path::kCpu);
  EXPECT_EQ(seat_.probe().taken_over_batches.value(), 5U);
  EXPECT_EQ(seat_.state(), backend::SeatState::kUp) << "it had its time yet";
}

TEST_F(ShardCardTest, TakesWhatTheCardGivesBackWhileItWaitsToChangeTheModel) {
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    for (int i = 0; i < 3; ++i) send();
    step_until_received(sent_);
    room_->clock.now += 60'000;
    static_cast<void>(room_->shard().do_work());
    serve();  // on its way back when the conditions change
    pipeline::Conditions next = conditions_of(model_, std::string(kMenu));
    next.block = {static_cast<std::uint32_t>(2 + round)};
    room_->adopt(next);
    for (int i = 0; i < 3; ++i) expect_answer(wire::Path::kFpga);
  }
  EXPECT_EQ(seat_.probe().taken_over_batches.value(), 0U);
}

TEST_F(ShardCardTest, SwitchesTheRouteWhileEventsFlow) {
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    seat_.set_route(round % 2 == 0 ? backend::Route::kCpu : backend::Route::kCard);
    for (int i = 0; i < 4; ++i) send();
    for (int i = 0; i < 4; ++i) expect_answer(round % 2 == 0 ? wire::Path::kCpu : wire::Path::kFpga);
  }
}

TEST_F(ShardCardTest, SleepsUntilTheCardRingsWhenItRunsByItself) {
  constexpr int kBatches = 200;
  const base::SystemClock clock;
  backend::CardSeat seat(seat_options(nullptr));
  seat.set_route(backend::Route::kCard);
  TemporaryFolder folder;
  wire::Context context = wire::Context::create(1).value();
  pipeline::ShardOptions running = options();
  running.seat = &seat;
  running.socket.endpoints = {"ipc://" + (folder.path() / "events").string()};
  running.owner_endpoints = running.socket.endpoints;
  running.ledger_file = folder.path() / "ledger.bin";
  const auto shard = pipeline::Shard::create(running, context, clock).value();
  const auto region =
      card_link::Region::create({.ports = 1, .slots = 4, .input_bytes = 4'096, .output_bytes = 4'096})
          .value();
  card_link::CardPort port(region, 0, card_link::Doorbell::duplicate(shard->doorbell()).value());
  auto bell = std::make_shared<card_link::Doorbell>(card_link::Doorbell::create().value());
  ASSERT_TRUE(seat.offer(std::make_unique<card_link::DaemonPort>(region, 0, bell)));
  kan::Bundle bundle = small_bundle();
  const auto prepared = std::make_shared<const backend::CardModel>(
      kan::Evaluator::create(bundle.model, "auto").value(), std::vector{&seat}, bundle.golden);
  TestCard card;
  card.load(kLoad, bundle.model, dense_input(bundle.model), dense_output(bundle.model));
  ASSERT_TRUE(prepared->set_place(0, {kLoad, dense_input(bundle.model), dense_output(bundle.model)}));
  const auto model = std::make_shared<const pipeline::LoadedModel>(
      pipeline::LoadedModel{.bundle = std::move(bundle), .prepared = prepared});
  const auto conditions =
      std::make_shared<const pipeline::Conditions>(conditions_of(model, std::string(kMenu)));
  ASSERT_TRUE(shard->adopt(conditions));
  auto thread = base::AgentThread::start("shard", *shard, {}).value();

  RawClient client(context, running.socket.endpoints.front(), "client");
  const auto begin = std::chrono::steady_clock::now();
  const auto next_message = [&]() -> const wire::ServerMessage* {
    while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(15)) {
      static_cast<void>(card.serve(*region, 0, port, clock.now_ns()));
      if (const wire::ServerMessage* message = client.receive(); message != nullptr) return message;
      client.wait(1);
    }
    return nullptr;
  };
  client.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  ASSERT_NE(next_message(), nullptr);
  while (seat.state() != backend::SeatState::kUp &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(10))
    static_cast<void>(card.serve(*region, 0, port, clock.now_ns()));
  ASSERT_EQ(seat.state(), backend::SeatState::kUp);
  for (std::uint64_t i = 1; i <= kBatches; ++i) {
    wire::BatchHeader header;
    header.protocol_version = wire::kProtocol;
    header.source = {7};
    header.sequence = {i};
    header.event_count = kEvents;
    header.feature_count = 2;
    header.encoding = wire::Encoding::kCode8;
    client.send(header, std::vector<std::byte>(2 * kEvents));
    const wire::ServerMessage* message = next_message();
    ASSERT_NE(message, nullptr) << "a batch that comes back wakes the shard: 200 of them take no 15 s";
    ASSERT_EQ(message->decision.sequence.value, i);
  }
  thread.reset();
  shard->end();
  EXPECT_GT(seat.probe().batches.value(), kBatches / 2U);
}

}  // namespace
}  // namespace kantrig::test
