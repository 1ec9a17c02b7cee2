// Batches that a card has: begun in the order of their receipt, and finished in it.
#include <poll.h>
#include <unistd.h>

#include <ctime>

#include "pipeline/shard.hpp"

namespace kantrig::pipeline {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
/// How long what must not overtake a batch waits for the card that has it.
constexpr std::uint64_t kSettleNs = 1'000'000;
constexpr std::uint64_t kSettleLookNs = 50'000;  // between two looks, unless the card rings
constexpr std::uint32_t kSettleLooksMax = 64;

}  // namespace

/// True when the batch is the next on its lane, which has others under way, and the answers to all of them
/// can be kept. What the books say is settled for those before it.
bool Shard::follows(const Session& session, const wire::BatchHeader& header) const noexcept {
  return session.source == header.source && session.lane == header.lane &&
         header.sequence == session.under_way_next && session.under_way < granted_.batches &&
         session.under_way_bytes + answer_bytes_max(header) <= options_.ledger.answer_bytes_kept &&
         !reads_too_little(session, header);
}

void Shard::put_under_way(const Batch& batch) noexcept {
  Session& session = *batch.session;
  ++session.under_way;
  session.under_way_next = {batch.header->sequence.value + 1};
  session.under_way_bytes += batch.answer_bytes_max;
  wire::ServerMessageFrames& message = under_way_.push_back(batch);
  if (!conditions().shadow) {
    message.clear();  // its codes are loaded
  } else if (message.frames().size() == 1) {
    settle();  // the values of the one-frame form lie in the decoder, and the shadow wants them
  }
  now_ns_ = clock_.now_ns();
}

/// Answers what a card has given back, up to the first batch that it still has.
std::size_t Shard::finish_done() noexcept {
  const std::uint64_t start_ns = now_ns_;
  std::size_t finished = 0;
  while (!under_way_.empty() && decider_->oldest_done()) {
    finish_oldest();
    ++finished;
  }
  busy_ns_ += now_ns_ - start_ns;
  return finished;
}

void Shard::finish_oldest() noexcept {
  const Batch& batch = under_way_.front();
  --batch.session->under_way;
  batch.session->under_way_bytes -= batch.answer_bytes_max;
  finish(batch);
  under_way_.pop_front();
}

/// Answers every batch under way, so that what comes next finds the books complete. What the card has not
/// given back within kSettleNs the CPU decides.
void Shard::settle() noexcept {
  if (under_way_.empty()) return;
  const std::uint64_t start_ns = clock_.now_ns();
  std::uint32_t looks_left = options_.seat != nullptr ? kSettleLooksMax : 0;
  while (!under_way_.empty()) {
    now_ns_ = clock_.now_ns();
    if (options_.seat != nullptr) options_.seat->poll(now_ns_);
    const bool done = decider_->oldest_done();
    if (!done && looks_left > 0 && now_ns_ - start_ns < kSettleNs) {
      --looks_left;
      wait_for_card();
      continue;
    }
    const std::uint64_t begin_ns = now_ns_;
    if (!done) decider_->finish_oldest_now();
    finish_oldest();
    busy_ns_ += now_ns_ - begin_ns;
  }
  settled_ns_ += now_ns_ - start_ns;
}

void Shard::wait_for_card() noexcept {
  if (options_.seat->prepare_to_sleep()) wait_for_doorbell(kSettleLookNs);
  options_.seat->awake();
}

void Shard::wait_for_doorbell(std::uint64_t wait_ns) noexcept {
  pollfd item{wake_fd_, POLLIN, 0};
  const timespec most{static_cast<time_t>(wait_ns / kNsPerSecond), static_cast<long>(wait_ns % kNsPerSecond)};
  if (::ppoll(&item, 1, &most, nullptr) > 0) hear_doorbell();
}

/// Rearms the wake-up, no more: whatever it was rung for, the next turn looks at.
void Shard::hear_doorbell() noexcept {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto n = ::read(wake_fd_, &ignored, sizeof ignored);
}

}  // namespace kantrig::pipeline
