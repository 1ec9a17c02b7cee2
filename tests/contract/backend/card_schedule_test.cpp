// Two shards under load, a supervisor, and a card to which anything may happen at any moment: every batch is
// answered, and every answer is the reference's.
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <thread>

#include "unit/control/card_room.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kEventsMax = 600;

/// Which model the shards decide with; what control tells them.
struct Assignment {
  std::shared_ptr<const pipeline::LoadedModel> model;
  std::vector<SeatBatch> batches;  // with their answers
};

/// A shard's thread: batches under way in several workspaces, as the pipeline does it.
class ShardThread {
 public:
  ShardThread(backend::CardSeat& seat, std::uint32_t index, std::uint64_t seed)
      : seat_(seat), index_(index), random_(seed) {}
  ~ShardThread() { stop(); }
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// From the next turn on. The one before is given back by retired().
  void assign(const Assignment& next) {
    const std::scoped_lock lock(mutex_);
    next_ = &next;
  }
  /// Destroys what the shard has handed over; on the caller's thread.
  void clear_retired() {
    std::vector<std::unique_ptr<backend::Workspace>> gone;
    const std::scoped_lock lock(mutex_);
    std::swap(gone, retired_);
  }
  [[nodiscard]] std::uint64_t decided(wire::Path path) const {
    return path == wire::Path::kFpga ? by_card_ : by_cpu_;
  }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  static constexpr std::size_t kUnderWay = 5;
  struct UnderWay {
    std::unique_ptr<backend::Workspace> space;
    const SeatBatch* batch = nullptr;  // empty: free
  };
  static std::uint64_t now_ns() { return base::SystemClock().now_ns(); }

  void run() {
    while (!stop_) {
      adopt();
      seat_.poll(now_ns());
      for (UnderWay& each : under_way_) turn(each);
      seat_.flush(now_ns());
      if (seat_.sleep_ms(now_ns(), 1) > 0 && seat_.prepare_to_sleep()) {
        std::this_thread::yield();
        seat_.awake();
      }
    }
    for (UnderWay& each : under_way_) {
      if (!each.batch) continue;
      each.space->finish_now();
      check(each);
    }
  }
  void adopt() {
    const std::scoped_lock lock(mutex_);
    if (next_ == nullptr) return;
    current_ = std::exchange(next_, nullptr);
    for (UnderWay& each : under_way_) {
      // Some are finished here, some go while they wait.
      if (each.batch && random_() % 2 == 0) {
        each.space->finish_now();
        check(each);
      }
      each.batch = nullptr;
      if (each.space) retired_.push_back(std::move(each.space));
      each.space = current_->model->prepared->make_workspace(kEventsMax, index_);
    }
  }
  void turn(UnderWay& each) {
    if (current_ == nullptr) return;
    if (each.batch) {
      if (random_() % 200 == 0) each.space->finish_now();
      if (!each.space->done()) return;
      check(each);
    }
    if (random_() % 4 == 0) return;
    each.batch = &current_->batches[random_() % current_->batches.size()];
    each.space->begin(each.batch->payload(), {}, static_cast<std::uint32_t>(random_() % 3));
  }
  void check(UnderWay& each) {
    const SeatBatch& batch = *std::exchange(each.batch, nullptr);
    bool right = true;
    for (std::uint32_t i = 0; i < batch.events; ++i) {
      for (std::uint32_t k = 0; k < batch.outputs[i].size(); ++k)
        right = right && each.space->outputs(k)[i] == batch.outputs[i][k];
      right = right && each.space->classes()[i] == batch.classes[i];
    }
    if (!right) ++wrong_;
    ++(each.space->path() == wire::Path::kFpga ? by_card_ : by_cpu_);
  }

  backend::CardSeat& seat_;
  std::uint32_t index_;
  std::mt19937_64 random_;
  std::array<UnderWay, kUnderWay> under_way_;
  const Assignment* current_ = nullptr;
  std::mutex mutex_;
  const Assignment* next_ = nullptr;
  std::vector<std::unique_ptr<backend::Workspace>> retired_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> by_card_{0}, by_cpu_{0}, wrong_{0};
  std::thread thread_;
};

class CardSchedule : public CardRoom, public testing::WithParamInterface<std::uint64_t> {
 protected:
  CardSchedule() : CardRoom(options()) {}
  static control::CardOptions options() {
    control::CardOptions options = fast();
    options.beat_timeout_ms = 300;
    options.hello_timeout_ms = 300;
    options.load_timeout_ms = 300;
    return options;
  }
  Assignment assignment(const std::string& name, std::uint64_t seed) {
    Assignment made{make_loaded(name, seed), {}};
    for (const std::uint32_t events : {1U, 3U, 20U, 64U, 65U, 300U, 599U})
      made.batches.emplace_back(made.model->bundle.model, events, seed + events);
    return made;
  }
  void run_for_ms(std::uint64_t ms) {
    io_.restart();
    io_.run_for(std::chrono::milliseconds(ms));
    for (const auto& shard : shards_) shard->clear_retired();
  }
  /// Something happens to the card.
  void disturb(std::mt19937_64& random) {
    const auto kind = random() % 12;
    if (kind == 0) {
      process_.kill();
      run_for_ms(random() % 20);
      process_.start();
    } else if (kind == 1) {
      process_.set_present(false);
      run_for_ms(random() % 20);
      process_.set_present(true);
    } else if (kind == 2) {
      process_.set_hung(true);
      run_for_ms(random() % 3 == 0 ? 400 : 30);
      process_.set_hung(false);
    } else if (kind == 3) {
      seats_[random() % kSeats]->set_route(random() % 2 == 0 ? backend::Route::kAuto : backend::Route::kCard);
    } else if (kind == 4) {
      process_.set_garbage(true);
      process_.set_fault(CardFault::kFail);
      run_for_ms(20);
      process_.set_garbage(false);
    } else {
      static constexpr std::array kFaults{
          CardFault::kSilent,     CardFault::kDeaf, CardFault::kFlipBit, CardFault::kFlipLiveBit,
          CardFault::kImpossible, CardFault::kFail, CardFault::kTimeout, CardFault::kNotLoaded,
          CardFault::kBrokenRing, CardFault::kTwice};
      process_.set_fault(kFaults[random() % kFaults.size()]);
      run_for_ms(1 + random() % 20);
    }
    process_.set_fault(CardFault::kNone);
  }

  std::vector<std::unique_ptr<ShardThread>> shards_;
};

TEST_P(CardSchedule, EveryAnswerIsRightWhateverHappensToTheCard) {
  std::cout << "seed " << GetParam() << '\n';
  std::mt19937_64 random(GetParam());
  process_.set_room(1 + GetParam() % 2);
  const std::array<Assignment, 3> models{assignment("a", 1), assignment("b", 2), assignment("c", 3)};
  process_.start();
  start();
  for (std::uint32_t i = 0; i < kSeats; ++i) {
    shards_.push_back(std::make_unique<ShardThread>(*seats_[i], i, GetParam() * 10 + i));
    shards_.back()->start();
  }
  std::size_t active = 0;
  const auto activate = [&](std::size_t next) {
    for (const auto& shard : shards_) shard->assign(models[next]);
    supervisor_->want(models[next].model, models[active].model);
    active = next;
  };
  activate(0);
  for (int n = 0; n < 40; ++n) {
    if (random() % 4 == 0) activate(random() % models.size());
    disturb(random);
    run_for_ms(random() % 20);
  }
  // Left alone it comes back.
  for (const auto& seat : seats_) seat->set_route(backend::Route::kCard);
  const auto by_card = [&] {
    return std::min(shards_[0]->decided(wire::Path::kFpga), shards_[1]->decided(wire::Path::kFpga));
  };
  const std::uint64_t before = by_card();
  for (int n = 0; n < 3'000 && (figures().breaker != control::Breaker::kClosed || by_card() < before + 20);
       ++n)
    run_for_ms(10);
  EXPECT_EQ(figures().breaker, control::Breaker::kClosed) << figures().reason;
  EXPECT_GE(by_card(), before + 20);
  for (const auto& shard : shards_) {
    shard->stop();
    EXPECT_EQ(shard->wrong(), 0U);
    EXPECT_GT(shard->decided(wire::Path::kCpu), 0U);
    shard->clear_retired();
  }
  EXPECT_EQ(process_.repeated_load_ids(), 0U);
  std::cout << "by card " << shards_[0]->decided(wire::Path::kFpga) + shards_[1]->decided(wire::Path::kFpga)
            << ", by CPU " << shards_[0]->decided(wire::Path::kCpu) + shards_[1]->decided(wire::Path::kCpu)
            << ", joins " << figures().joins << ", loads " << process_.loads() << '\n';
  supervisor_.reset();
  shards_.clear();
}

INSTANTIATE_TEST_SUITE_P(Seeds, CardSchedule, testing::Range<std::uint64_t>(1, 5),
                         [](const auto& test) { return "Seed" + std::to_string(test.param); });

}  // namespace
}  // namespace kantrig::test
