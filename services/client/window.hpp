// Window: the batches without a final answer, and which of them to send next. No sockets, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "client/answer.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace kantrig::client {

struct PendingBatch {
  wire::BatchHeader header;
  wire::Frame payload;
  AnswerCallback on_answer;
  std::uint64_t first_sent_ns = 0;  // 0: never sent
  std::uint64_t last_sent_ns = 0;
  std::uint32_t copies = 0;  // sent on this connection and not yet answered
  bool waiting = true;       // to be sent, for the first time or again
  bool answered = false;     // finally; stays until it is the oldest
};

/// A ring over consecutive sequences. Batches go out in order and within the credit: a lane takes only the
/// next one, so a batch that must be sent again takes all later ones with it.
///
/// Each copy that was sent gets one answer, in order. A passing refusal counts only when it answers the last
/// copy under way; earlier copies were refused for the same gap and their refusals say nothing new.
///
/// Threading:  one owner.
/// Allocation: in the constructor.
class Window {
 public:
  /// Precondition: batches_max >= 1.
  explicit Window(std::uint32_t batches_max);

  [[nodiscard]] bool full() const noexcept { return count_ == ring_.size(); }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Payload bytes of the batches without a final answer.
  [[nodiscard]] std::uint64_t pending_bytes() const noexcept { return pending_bytes_; }
  /// Batches without a final answer, answered ones behind an older one left out.
  [[nodiscard]] std::size_t unanswered() const noexcept { return unanswered_; }

  /// Takes `batch` in as the newest and gives it the next sequence. Precondition: !full().
  PendingBatch& push(PendingBatch batch);

  /// The next batch to send under `credit`; nullptr when there is none or the credit does not allow it.
  [[nodiscard]] PendingBatch* next_to_send(const wire::Credit& credit) noexcept;
  /// True when something waits to be sent, credit or not.
  [[nodiscard]] bool waiting() const noexcept { return cursor_ < count_; }
  /// The batch of next_to_send() was sent.
  void mark_sent(std::uint64_t now_ns) noexcept;

  /// The final answer to `sequence` came. Empty when it already had one.
  [[nodiscard]] std::optional<PendingBatch> take(Sequence sequence);

  /// A passing refusal of `sequence` came. True when it, and all after it, wait again.
  bool hold_back(Sequence sequence) noexcept;
  /// Everything unanswered waits again; the copies under way still get their answers.
  void hold_all() noexcept;
  /// As hold_all(), and no copy will be answered: the connection is gone.
  void lose_copies() noexcept;

  /// The sequences that a daemon with this lane's books may expect next: from the oldest unanswered one to
  /// the one after the newest that was ever sent.
  [[nodiscard]] bool is_plausible_next(Sequence expected) const noexcept;
  /// The oldest batch, when it was sent at least once.
  [[nodiscard]] std::optional<PendingBatch> take_oldest_sent();
  /// Whatever is oldest.
  [[nodiscard]] std::optional<PendingBatch> take_oldest();
  /// Gives the batches, none of which was ever sent, new sequences from `next` on.
  void renumber(Sequence next) noexcept;

  /// When the oldest unanswered copy was sent; 0 when none is under way.
  [[nodiscard]] std::uint64_t oldest_sent_ns() const noexcept;
  /// The newest sequence that was ever sent; one below the first when none was.
  [[nodiscard]] Sequence last_sent() const noexcept { return {begin_ + sent_count_ - 1}; }
  /// What is under way.
  [[nodiscard]] const wire::Credit& in_flight() const noexcept { return in_flight_; }
  /// Events of unanswered batches that were sent at least once.
  [[nodiscard]] std::uint64_t sent_events() const noexcept;

 private:
  [[nodiscard]] PendingBatch& at(std::size_t offset) noexcept {
    return ring_[(begin_ + offset) % ring_.size()];
  }
  [[nodiscard]] const PendingBatch& at(std::size_t offset) const noexcept {
    return ring_[(begin_ + offset) % ring_.size()];
  }
  void wait_from(std::size_t offset) noexcept;
  void pop_answered() noexcept;
  void land(const PendingBatch& batch) noexcept;

  std::vector<PendingBatch> ring_;
  std::uint64_t begin_ = 1;  // sequence of the oldest
  std::size_t count_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t cursor_ = 0;      // offset of the next to send
  std::size_t sent_count_ = 0;  // the first so many were ever sent
  std::uint64_t pending_bytes_ = 0;
  wire::Credit in_flight_;
};

}  // namespace kantrig::client
