// Batches that a card has: begun in the order of their receipt, and finished in it.
#include "pipeline/shard.hpp"

namespace kantrig::pipeline {
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
  session.under_way_next = {batch.header.sequence.value + 1};
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

/// Answers every batch under way, so that what comes next finds the books complete.
void Shard::settle() noexcept {
  if (under_way_.empty()) return;
  const std::uint64_t start_ns = now_ns_ = clock_.now_ns();
  while (!under_way_.empty()) {
    decider_->finish_oldest_now();
    finish_oldest();
  }
  busy_ns_ += now_ns_ - start_ns;
  settled_ns_ += now_ns_ - start_ns;
}

}  // namespace kantrig::pipeline
