// A supervisor with a card's process at the other end and seats that the test steps.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <functional>

#include <gtest/gtest.h>

#include "control/card_supervisor.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_card_process.hpp"
#include "unit/backend/seat_room.hpp"

namespace kantrig::test {

class CardRoom : public testing::Test {
 protected:
  using LoadedPointer = std::shared_ptr<const pipeline::LoadedModel>;

  explicit CardRoom(control::CardOptions options = fast()) : options_(std::move(options)) {
    process_.set_golden_events(kGolden);
    options_.socket = folder_.path() / "card.sock";
    for (std::uint32_t i = 0; i < kSeats; ++i) {
      // Slots may take long where a sanitizer runs; what is too late is for the tests of deadlines.
      seats_.push_back(std::make_unique<backend::CardSeat>(
          backend::SeatOptions{.deadline_ns = 5'000 * kMs, .cross_check = 1.0}));
      seats_.back()->set_route(backend::Route::kCard);
      bells_.push_back(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    }
  }
  ~CardRoom() override {
    for (const int bell : bells_) ::close(bell);
  }
  static control::CardOptions fast() {
    control::CardOptions options;
    options.shape = {.ports = 1, .slots = 3, .input_bytes = 8'192, .output_bytes = 8'192};
    options.retry_min_ms = 2;
    options.retry_max_ms = 20;
    options.beat_timeout_ms = 2'000;
    options.load_timeout_ms = 5'000;
    options.poll_ms = 1;
    return options;
  }
  void start() {
    std::vector<control::CardSupervisor::Seat> seats;
    for (std::uint32_t i = 0; i < kSeats; ++i) seats.push_back({i, seats_[i].get(), bells_[i]});
    supervisor_ = std::make_unique<control::CardSupervisor>(io_, clock_, log_, options_, seats);
    supervisor_->start();
  }
  LoadedPointer make_loaded(const std::string& name, std::uint64_t seed) {
    kan::Bundle bundle;
    bundle.name = name;
    bundle.version = "1.0.0";
    bundle.model = seat_model(seed);
    bundle.golden = golden_of(bundle.model, kGolden, seed);
    bundle.digest.bytes.fill(static_cast<std::uint8_t>(seed));
    std::vector<backend::CardSeat*> seats;
    for (const auto& seat : seats_) seats.push_back(seat.get());
    const backend::Options options{.kind = backend::Kind::kCard, .kernel_set = "auto", .seats = seats};
    auto prepared = backend::prepare(bundle, options).value();
    EXPECT_TRUE(backend::replay_golden(bundle, *prepared));
    const std::string folder = "/models/" + bundle.full_name();
    process_.add_bundle(folder, bundle.model);
    return std::make_shared<const pipeline::LoadedModel>(
        pipeline::LoadedModel{std::move(bundle), std::move(prepared), folder});
  }
  /// One turn of everything: control thread, shards.
  void turn() {
    io_.restart();
    io_.run_for(std::chrono::milliseconds(1));
    for (const auto& seat : seats_) {
      seat->poll(clock_.now_ns());
      seat->flush(clock_.now_ns());
    }
  }
  /// Turns until `what`; false when that does not come.
  [[nodiscard]] bool until(const std::function<bool()>& what) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!what()) {
      if (std::chrono::steady_clock::now() > end) return false;
      turn();
    }
    return true;
  }
  [[nodiscard]] bool until_closed() {
    return until([this] { return figures().breaker == control::Breaker::kClosed; });
  }
  [[nodiscard]] const control::CardFigures& figures() const { return supervisor_->figures(); }
  [[nodiscard]] std::uint64_t opened(std::string_view reason) const {
    const auto reasons = control::open_reasons();
    const auto at = std::ranges::find(reasons, reason) - reasons.begin();
    return figures().opened[static_cast<std::size_t>(at)];
  }
  /// A batch through the seat of `shard`; its path, and the right answer whoever gave it.
  wire::Path decide(const LoadedPointer& model, std::uint32_t shard, std::uint64_t seed) {
    const SeatBatch batch(model->bundle.model, 50, seed);
    const auto space = model->prepared->make_workspace(64, shard);
    space->begin(batch.payload(), {}, 0);
    EXPECT_TRUE(until([&] { return space->done(); }));
    batch.expect(*space);
    return space->path();
  }

  static constexpr std::uint32_t kSeats = 2;
  static constexpr std::uint32_t kGolden = 20;
  TemporaryFolder folder_;
  control::CardOptions options_;
  boost::asio::io_context io_;
  base::SystemClock clock_;
  base::Logger log_{base::LogLevel::kError};
  std::vector<std::unique_ptr<backend::CardSeat>> seats_;
  std::vector<int> bells_;
  TestCardProcess process_{folder_.path() / "card.sock"};
  std::unique_ptr<control::CardSupervisor> supervisor_;
};

}  // namespace kantrig::test
