// The two ends of a port: DaemonPort in a shard, CardPort in kantrig-card. Neither blocks, neither allocates
// after it is made, and neither trusts what the other side has written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "card_link/doorbell.hpp"
#include "card_link/region.hpp"

namespace kantrig::card_link {

/// What the ring gave.
enum class Take : std::uint8_t {
  kNothing,
  kSlot,
  kBroken,  // the other side broke the protocol: give the link up
};

/// How a slot came back. Times as in SlotRecord; copies, checked for nothing.
struct Completion {
  std::uint32_t slot = 0;
  SlotStatus status = SlotStatus::kNone;
  std::uint32_t error = 0;  // errno, or 0
  std::uint64_t submit_ns = 0, taken_ns = 0, copied_in_ns = 0, started_ns = 0, finished_ns = 0,
                completed_ns = 0;
};

/// A shard's end.
///
/// Threading:  owned by one thread at a time.
/// Allocation: when it is made only.
class DaemonPort {
 public:
  DaemonPort(std::shared_ptr<Region> region, std::uint32_t port, std::shared_ptr<const Doorbell> card);

  [[nodiscard]] const RegionShape& shape() const noexcept { return region_->shape(); }
  [[nodiscard]] std::span<std::byte> input(std::uint32_t slot) const noexcept {
    return region_->input(port_, slot);
  }
  [[nodiscard]] std::span<const std::byte> output(std::uint32_t slot) const noexcept {
    return region_->output(port_, slot);
  }
  /// Gives the slot to the card and rings if it sleeps. Precondition: the slot is not in flight.
  void submit(std::uint32_t slot, std::uint64_t load_id, std::uint32_t events, std::uint64_t now_ns) noexcept;
  /// The next slot that came back, into `completion`.
  [[nodiscard]] Take take(Completion& completion) noexcept;
  [[nodiscard]] bool in_flight(std::uint32_t slot) const noexcept { return in_flight_[slot]; }
  [[nodiscard]] std::uint32_t in_flight_count() const noexcept { return in_flight_count_; }

  /// Before the shard sleeps: asks for the doorbell. False when something came meanwhile: do not sleep.
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  void awake() noexcept;

 private:
  std::shared_ptr<Region> region_;
  std::uint32_t port_;
  std::shared_ptr<const Doorbell> card_;
  std::uint32_t submitted_ = 0;  // counts of slots ever, as the rings' tails
  std::uint32_t taken_ = 0;
  std::uint32_t in_flight_count_ = 0;
  std::vector<bool> in_flight_;
};

/// What a slot asks for; copied out of the region once and checked against the shape.
struct Submission {
  std::uint32_t slot = 0;
  std::uint64_t load_id = 0;
  std::uint32_t events = 0;  // unchecked against the hardware's records
  std::uint64_t submit_ns = 0;
};

/// The card's end.
///
/// Threading:  take() by one thread, complete() by one thread, which may be another.
/// Allocation: when it is made only.
class CardPort {
 public:
  /// `daemon` is the shard's doorbell.
  CardPort(std::shared_ptr<Region> region, std::uint32_t port, Doorbell daemon);

  [[nodiscard]] const RegionShape& shape() const noexcept { return region_->shape(); }
  [[nodiscard]] std::span<std::byte> input(std::uint32_t slot) const noexcept {
    return region_->input(port_, slot);
  }
  [[nodiscard]] std::span<std::byte> output(std::uint32_t slot) const noexcept {
    return region_->output(port_, slot);
  }
  [[nodiscard]] Take take(Submission& submission) noexcept;
  /// True when take() would give something.
  [[nodiscard]] bool waiting() const noexcept;
  /// Gives the slot back and rings if the shard sleeps. Precondition: it was taken and not given back.
  void complete(const Completion& completion) noexcept;

 private:
  std::shared_ptr<Region> region_;
  std::uint32_t port_;
  Doorbell daemon_;
  std::uint32_t taken_ = 0;      // take()'s thread
  std::uint32_t completed_ = 0;  // complete()'s thread
  std::unique_ptr<std::atomic<bool>[]> ours_;
};

/// Before the card's runner sleeps on its doorbell: asks for it on behalf of all ports. The caller then looks
/// at waiting() of every port once more, and sleeps only if there is nothing.
void prepare_card_to_sleep(Region& region) noexcept;
void card_awake(Region& region) noexcept;

}  // namespace kantrig::card_link
