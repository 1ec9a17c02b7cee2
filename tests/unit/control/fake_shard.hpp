// A shard without a socket: real books, and conditions that it adopts when the test says so.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <utility>

#include "ledger/shard_ledger.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::test {

class FakeShard final : public pipeline::ShardControl {
 public:
  static constexpr std::size_t kRing = 4;

  explicit FakeShard(const std::filesystem::path& file)
      : books_(
            ledger::ShardLedger::open(file, {.lanes_max = 4, .batches_kept = 8, .answer_bytes_kept = 4096}, 1)
                .value()) {}

  bool adopt(std::shared_ptr<const pipeline::Conditions> next) override {
    if (handed_.size() >= kRing) return false;
    handed_.push_back(std::move(next));
    return true;
  }
  std::shared_ptr<const pipeline::Conditions> adopted() override {
    if (adopts_by_itself) step();
    return in_force_;
  }
  bool drained() override { return in_force_ && in_force_->draining && clients_finish; }
  ledger::ShardLedger& books() override { return books_; }

  /// Adopts what was handed over, as a shard does between two batches.
  void step() {
    while (!handed_.empty()) {
      const auto next = std::move(handed_.front());
      handed_.pop_front();
      const ledger::BlockKey key{.run = next->run,
                                 .block = next->block,
                                 .generation = next->generation,
                                 .column = next->column,
                                 .line_count = static_cast<std::uint32_t>(next->menu->lines().size()),
                                 .model_digest = next->model->bundle.digest,
                                 .menu_digest = next->menu->digest()};
      if (!books_.roll_block(key, next->closes_previous, ++unix_ns_)) std::abort();
      in_force_ = next;
      ++adoptions;
    }
  }

  /// Decides a batch of `accepted` and `rejected` events; line 0 fired for those accepted.
  void decide(std::uint32_t accepted, std::uint32_t rejected) {
    const auto lane = books_.open_lane(SourceId{1}, LaneId{0}, {}).value();
    static_cast<void>(books_.answer_space(lane, 1));
    const ledger::LineCounts fired{accepted, accepted, accepted};
    books_.commit({.lane = lane,
                   .sequence = books_.next_sequence(lane),
                   .event_count = accepted + rejected,
                   .accepted = accepted,
                   .rejected = rejected,
                   .path = 1,
                   .lines = {&fired, 1},
                   .answer_bytes = 1});
  }

  [[nodiscard]] const pipeline::Conditions& in_force() const { return *in_force_; }

  bool adopts_by_itself = true;
  bool clients_finish = true;
  std::uint32_t adoptions = 0;

 private:
  ledger::ShardLedger books_;
  std::deque<std::shared_ptr<const pipeline::Conditions>> handed_;
  std::shared_ptr<const pipeline::Conditions> in_force_;
  std::uint64_t unix_ns_ = 1'000;
};

}  // namespace kantrig::test
