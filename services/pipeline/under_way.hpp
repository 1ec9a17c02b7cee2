// UnderWay: the batches of one shard that were begun and are not answered yet, oldest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/assert.hpp"
#include "ledger/shard_ledger.hpp"
#include "pipeline/session_table.hpp"
#include "wire/messages.hpp"
#include "wire/server_socket.hpp"

namespace kantrig::pipeline {

/// A batch that has its place on its lane, from receipt to answer.
struct Batch {
  const wire::BatchHeader* header = nullptr;
  std::span<const std::byte> payload;  // in the message that it came in
  Session* session = nullptr;          // maybe closed meanwhile: then nobody is told
  ledger::LaneHandle lane;
  std::uint64_t receive_ns = 0;
  std::uint64_t answer_bytes_max = 0;
};

/// A ring of messages that stay where they were received, since a short frame lies in the object itself. The
/// message in hand, which is being read, is the one behind the newest batch.
///
/// Threading:  owned by the shard.
/// Allocation: in the constructor only.
class UnderWay {
 public:
  explicit UnderWay(std::size_t batches_max) : slots_(batches_max + 1) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Where the next message is received. Another object after push_back() and pop_front().
  [[nodiscard]] wire::ServerMessageFrames& message() noexcept { return *message_; }
  /// The message in hand is that of `batch`, which is under way from now on. Precondition: fewer than
  /// batches_max are. Gives the message for whoever does not need it any more.
  wire::ServerMessageFrames& push_back(const Batch& batch) noexcept {
    KANTRIG_ASSERT(count_ + 1 < slots_.size());
    Slot& slot = slots_[place(count_++)];
    slot.header = *batch.header;
    slot.batch = batch;
    slot.batch.header = &slot.header;
    message_ = &slots_[place(count_)].message;
    return slot.message;
  }
  /// Precondition: !empty().
  [[nodiscard]] const Batch& front() const noexcept { return slots_[first_].batch; }
  /// The message in hand stays the one in hand.
  void pop_front() noexcept {
    slots_[first_].message.clear();
    first_ = place(1);
    --count_;
  }

 private:
  struct Slot {
    wire::ServerMessageFrames message;
    wire::BatchHeader header;
    Batch batch;
  };
  [[nodiscard]] std::size_t place(std::size_t i) const noexcept {
    const std::size_t slot = first_ + i;
    return slot < slots_.size() ? slot : slot - slots_.size();
  }
  std::vector<Slot> slots_;  // never moved: batches point into them
  wire::ServerMessageFrames* message_ = &slots_.front().message;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace kantrig::pipeline
