#include "client/window.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::client {

Window::Window(std::uint32_t batches_max) : ring_(batches_max) {
  KANTRIG_ASSERT(batches_max >= 1);
}

PendingBatch& Window::push(PendingBatch batch) {
  KANTRIG_ASSERT(!full());
  PendingBatch& slot = at(count_);
  slot = std::move(batch);
  slot.header.sequence = {begin_ + count_};
  ++count_;
  ++unanswered_;
  pending_bytes_ += slot.payload.bytes().size();
  return slot;
}

PendingBatch* Window::next_to_send(const wire::Credit& credit) noexcept {
  while (cursor_ < count_ && !at(cursor_).waiting) ++cursor_;
  if (cursor_ == count_) return nullptr;
  PendingBatch& batch = at(cursor_);
  const bool allowed = in_flight_.events + batch.header.event_count <= credit.events &&
                       in_flight_.bytes + batch.payload.bytes().size() <= credit.bytes &&
                       in_flight_.batches + 1 <= credit.batches;
  return allowed ? &batch : nullptr;
}

void Window::mark_sent(std::uint64_t now_ns) noexcept {
  PendingBatch& batch = at(cursor_);
  KANTRIG_ASSERT(cursor_ < count_ && batch.waiting);
  batch.waiting = false;
  ++batch.copies;
  if (batch.first_sent_ns == 0) batch.first_sent_ns = now_ns;
  batch.last_sent_ns = now_ns;
  in_flight_.events += batch.header.event_count;
  in_flight_.bytes += batch.payload.bytes().size();
  in_flight_.batches += 1;
  ++cursor_;
  sent_count_ = std::max(sent_count_, cursor_);
}

void Window::land(const PendingBatch& batch) noexcept {
  in_flight_.events -= batch.header.event_count;
  in_flight_.bytes -= batch.payload.bytes().size();
  in_flight_.batches -= 1;
}

std::optional<PendingBatch> Window::take(Sequence sequence) {
  if (sequence.value < begin_ || sequence.value - begin_ >= count_) return std::nullopt;
  PendingBatch& slot = at(sequence.value - begin_);
  if (slot.answered || slot.first_sent_ns == 0) return std::nullopt;
  if (!slot.waiting) land(slot);
  pending_bytes_ -= slot.payload.bytes().size();
  std::optional<PendingBatch> batch(std::move(slot));
  slot = PendingBatch{};
  slot.waiting = false;
  slot.answered = true;
  --unanswered_;
  pop_answered();
  return batch;
}

void Window::pop_answered() noexcept {
  while (count_ > 0 && at(0).answered) {
    ++begin_;
    --count_;
    cursor_ -= cursor_ > 0 ? 1 : 0;
    sent_count_ -= sent_count_ > 0 ? 1 : 0;
  }
}

void Window::wait_from(std::size_t offset) noexcept {
  for (std::size_t i = offset; i < sent_count_; ++i) {
    PendingBatch& batch = at(i);
    if (batch.answered || batch.waiting) continue;
    land(batch);
    batch.waiting = true;
  }
  cursor_ = std::min(cursor_, offset);
}

bool Window::hold_back(Sequence sequence) noexcept {
  if (sequence.value < begin_ || sequence.value - begin_ >= sent_count_) return false;
  const std::size_t offset = sequence.value - begin_;
  PendingBatch& batch = at(offset);
  if (batch.answered || batch.copies == 0) return false;
  if (--batch.copies > 0 || batch.waiting) return false;
  wait_from(offset);
  return true;
}

void Window::hold_all() noexcept {
  wait_from(0);
}

void Window::lose_copies() noexcept {
  for (std::size_t i = 0; i < sent_count_; ++i) at(i).copies = 0;
  wait_from(0);
}

bool Window::is_plausible_next(Sequence expected) const noexcept {
  return expected.value >= begin_ && expected.value <= begin_ + sent_count_;
}

std::optional<PendingBatch> Window::take_oldest_sent() {
  if (sent_count_ == 0) return std::nullopt;
  return take({begin_});
}

std::optional<PendingBatch> Window::take_oldest() {
  if (count_ == 0) return std::nullopt;
  if (at(0).first_sent_ns == 0) at(0).first_sent_ns = 1;  // take() gives out only what was sent
  return take({begin_});
}

void Window::renumber(Sequence next) noexcept {
  KANTRIG_ASSERT(sent_count_ == 0);
  // A batch's slot follows from its sequence: turn the ring so that the oldest lies where `next` belongs.
  const std::size_t size = ring_.size();
  const std::size_t shift = (begin_ % size + size - next.value % size) % size;
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(shift), ring_.end());
  begin_ = next.value;
  for (std::size_t i = 0; i < count_; ++i) at(i).header.sequence = {begin_ + i};
}

std::uint64_t Window::oldest_sent_ns() const noexcept {
  for (std::size_t i = 0; i < sent_count_; ++i) {
    if (!at(i).answered) return at(i).waiting ? 0 : at(i).last_sent_ns;
  }
  return 0;
}

std::uint64_t Window::sent_events() const noexcept {
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < sent_count_; ++i) events += at(i).answered ? 0 : at(i).header.event_count;
  return events;
}

}  // namespace kantrig::client
