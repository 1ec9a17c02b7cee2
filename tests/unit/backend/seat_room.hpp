// A seat with a card that the test steps by hand, and a clock of its own.
#pragma once

#include <fcntl.h>

#include <gtest/gtest.h>

#include "backend/card/card_model.hpp"
#include "contract/kernels/random_model.hpp"
#include "kan/reference.hpp"
#include "support/manual_clock.hpp"
#include "support/test_card.hpp"

namespace kantrig::test {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;

inline kan::GoldenVectors golden_of(const kan::Model& model, std::uint32_t count, std::uint64_t seed) {
  kan::GoldenVectors golden;
  golden.count = count;
  golden.inputs = random_codes(model, count, seed);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto codes =
        std::span(golden.inputs).subspan(std::size_t{i} * model.input_count(), model.input_count());
    const auto outputs = kan::reference_outputs(model, codes);
    golden.outputs.insert(golden.outputs.end(), outputs.begin(), outputs.end());
  }
  return golden;
}

inline kan::Model seat_model(std::uint64_t seed = 1) {
  return random_model({.name = "", .input_bits = {6, 6, 5, 3}, .nodes = {4, 3}}, seed);
}

/// Codes of a batch and what the reference says of them.
struct SeatBatch {
  SeatBatch(const kan::Model& model, std::uint32_t count, std::uint64_t seed)
      : events(count), codes(random_codes(model, count, seed)) {
    for (std::uint32_t i = 0; i < events; ++i) {
      outputs.push_back(kan::reference_outputs(
          model, std::span(codes).subspan(std::size_t{i} * model.input_count(), model.input_count())));
      classes.push_back(kan::reference_class(model, outputs.back()));
    }
  }
  [[nodiscard]] backend::Payload payload() const {
    return {wire::Encoding::kCode16, std::as_bytes(std::span(codes)), events};
  }
  void expect(const backend::Workspace& space) const {
    for (std::uint32_t i = 0; i < events; ++i) {
      for (std::uint32_t k = 0; k < outputs[i].size(); ++k)
        ASSERT_EQ(space.outputs(k)[i], outputs[i][k]) << "event " << i << " output " << k;
      ASSERT_EQ(space.classes()[i], classes[i]) << "event " << i;
    }
  }
  std::uint32_t events;
  std::vector<std::uint16_t> codes;
  std::vector<std::vector<std::int16_t>> outputs;
  std::vector<std::uint8_t> classes;
};

class SeatRoom : public testing::Test {
 protected:
  static constexpr std::uint64_t kLoad = 7;
  static constexpr std::uint32_t kGolden = 37;

  explicit SeatRoom(backend::SeatOptions options = {}, kan::Model model = seat_model())
      : data_(std::move(model)), seat_(with_clock(options)) {}

  std::shared_ptr<backend::CardModel> make_model(const kan::Model& model) {
    return std::make_shared<backend::CardModel>(kan::Evaluator::create(model, "auto").value(),
                                                std::vector<backend::CardSeat*>{&seat_},
                                                golden_of(model, kGolden, 5));
  }
  /// A fresh link of which the card knows `kLoad`.
  void join(card_link::RegionShape shape = {
                .ports = 1, .slots = 2, .input_bytes = 4'096, .output_bytes = 4'096}) {
    region_ = card_link::Region::create(shape).value();
    auto bell = std::make_shared<card_link::Doorbell>(card_link::Doorbell::create().value());
    card_port_ = std::make_unique<card_link::CardPort>(region_, 0, card_link::Doorbell::create().value());
    ASSERT_TRUE(seat_.offer(std::make_unique<card_link::DaemonPort>(region_, 0, bell)));
    card_.golden_events = kGolden;
    card_.load(kLoad, data_, dense_input(data_), dense_output(data_));
  }
  void place(std::uint64_t load_id = kLoad) {
    const auto placed = model_->set_place(0, {load_id, dense_input(data_), dense_output(data_)});
    ASSERT_TRUE(placed) << placed.error().message;
  }
  void poll(std::uint64_t after_ns = kUs) {
    clock_.now += after_ns;
    seat_.poll(clock_.now);
  }
  std::size_t serve() { return card_.serve(*region_, 0, *card_port_, clock_.now); }
  /// Joined and proven.
  void bring_up() {
    ASSERT_NO_FATAL_FAILURE(join());
    place();
    poll();
    serve();
    poll();
    ASSERT_EQ(seat_.state(), backend::SeatState::kUp);
    seat_.set_route(backend::Route::kCard);
  }
  std::unique_ptr<backend::Workspace> workspace(std::uint32_t events_max = 2'048) {
    return model_->make_workspace(events_max, 0);
  }
  void expect_returned(backend::Trouble trouble) {
    EXPECT_EQ(seat_.state(), backend::SeatState::kEmpty);
    EXPECT_EQ(seat_.trouble(), trouble) << backend::name_of(seat_.trouble());
    EXPECT_NE(seat_.returned(), nullptr);
    EXPECT_EQ(seat_.returned(), nullptr);
  }

 private:
  backend::SeatOptions with_clock(backend::SeatOptions options) {
    options.clock = &clock_;
    return options;
  }

 protected:
  ManualClock clock_;
  kan::Model data_;
  backend::CardSeat seat_;
  std::shared_ptr<backend::CardModel> model_ = make_model(data_);
  TestCard card_;
  std::shared_ptr<card_link::Region> region_;
  std::unique_ptr<card_link::CardPort> card_port_;
};

}  // namespace kantrig::test
