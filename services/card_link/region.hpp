// Region: the shared memory between kantrigd and kantrig-card, and what lies where in it.
//
//   header | one block a port: two rings of slot numbers, doorbell flags | slot records | inputs and outputs
//
// A port is what one shard uses: `slots` slots and a ring each way. The daemon owns a slot until it has put
// its number into the submission ring, the card until it has put it into the completion ring. Every slot's
// input and output begin at a page, so that a card can read and write them where they lie.
// Neither side believes the other: what is read from here is checked before it is used (port.hpp).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.hpp"

namespace kantrig::card_link {

inline constexpr std::uint32_t kLayoutVersion = 1;
inline constexpr std::uint32_t kPortsMax = 64;
inline constexpr std::uint32_t kSlotsMax = 64;  // of a port
inline constexpr std::uint64_t kSlotBytesMax = 64ULL << 20U;
inline constexpr std::uint64_t kRegionBytesMax = 16ULL << 30U;
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kCacheLineBytes = 64;

/// `bytes` rounded up to whole pages, as the memory that a card reads and writes must be.
[[nodiscard]] constexpr std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

struct RegionShape {
  std::uint32_t ports = 1;
  std::uint32_t slots = 4;                               // of each port
  std::uint64_t input_bytes = std::uint64_t{1} << 20U;   // of each slot; a multiple of kPageBytes
  std::uint64_t output_bytes = std::uint64_t{1} << 20U;  // the same

  friend bool operator==(const RegionShape&, const RegionShape&) = default;
};

/// Bounds and page multiples; the error names the figure.
[[nodiscard]] Result<void> check(const RegionShape& shape);

using SharedIndex = std::atomic<std::uint32_t>;
using SharedCounter = std::atomic<std::uint64_t>;
static_assert(SharedIndex::is_always_lock_free && SharedCounter::is_always_lock_free);

/// One ring of slot numbers with one producer and one consumer. Never full: it has a place for every slot.
/// `tail` counts what was put in, for ever; the consumer keeps its own count.
struct alignas(kCacheLineBytes) SharedRing {
  SharedIndex tail{0};
  alignas(kCacheLineBytes) std::uint32_t slots[kSlotsMax] = {};
};

/// 1: that side is about to sleep, or sleeps, and wants its doorbell rung.
struct alignas(kCacheLineBytes) SleepFlag {
  SharedIndex asleep{0};
};

/// How a slot ended.
enum class SlotStatus : std::uint32_t {
  kNone = 0,
  kDone = 1,
  kNotLoaded = 2,  // its load id is not ready
  kFailed = 3,     // the device failed it; `error` is an errno or 0
  kTimeout = 4,    // past the card's deadline of a run
  kInvalid = 5,    // events or bytes past what the slot or the hardware takes
};

/// Written by the daemon before a slot is submitted, answered by the card before it is completed. All times
/// are CLOCK_MONOTONIC in ns; the stages follow each other in this order.
struct alignas(kCacheLineBytes) SlotRecord {
  std::uint64_t load_id = 0;
  std::uint64_t submit_ns = 0;
  std::uint32_t events = 0;
  std::uint32_t reserved = 0;
  // The card's answer:
  SlotStatus status = SlotStatus::kNone;
  std::uint32_t error = 0;
  std::uint64_t taken_ns = 0;      // out of the ring: queueing ends
  std::uint64_t copied_in_ns = 0;  // the input is in the card's memory
  std::uint64_t started_ns = 0;    // the run is submitted
  std::uint64_t finished_ns = 0;   // the run is known to be complete
  std::uint64_t completed_ns = 0;  // the output is back
};

struct alignas(kCacheLineBytes) PortBlock {
  SharedRing submissions;  // daemon -> card
  SharedRing completions;  // card -> daemon
  SleepFlag daemon;
};

struct alignas(kCacheLineBytes) RegionHeader {
  std::uint64_t magic = 0;
  std::uint32_t layout_version = 0;
  std::uint32_t ports = 0;
  std::uint32_t slots = 0;
  std::uint32_t reserved = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t output_bytes = 0;
  /// Heartbeat of the card's runner: it rises at least every 100 ms while the runner is alive and not stuck.
  alignas(kCacheLineBytes) SharedCounter card_beat{0};
  /// The same of the daemon's control thread.
  alignas(kCacheLineBytes) SharedCounter daemon_beat{0};
  SleepFlag card;  // of all ports
};

/// A mapping of the region; unmapped at the end. The memory lives as long as anybody maps it.
///
/// Threading: immutable; what is in the memory has its own rules.
class Region {
 public:
  /// Makes the memory: sealed against shrinking, all zero. For the daemon.
  [[nodiscard]] static Result<std::shared_ptr<Region>> create(const RegionShape& shape);
  /// Maps what came from the other side. Refuses another layout, size or shape than `shape`, and memory that
  /// could be shrunk under our feet. Takes the descriptor over. For the card.
  [[nodiscard]] static Result<std::shared_ptr<Region>> map(int fd, const RegionShape& shape);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  [[nodiscard]] const RegionShape& shape() const noexcept { return shape_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] RegionHeader& header() const noexcept;
  [[nodiscard]] PortBlock& port(std::uint32_t port) const noexcept;
  [[nodiscard]] SlotRecord& record(std::uint32_t port, std::uint32_t slot) const noexcept;
  [[nodiscard]] std::span<std::byte> input(std::uint32_t port, std::uint32_t slot) const noexcept;
  [[nodiscard]] std::span<std::byte> output(std::uint32_t port, std::uint32_t slot) const noexcept;

 private:
  Region(RegionShape shape, int fd, std::byte* memory, std::size_t bytes)
      : shape_(shape), fd_(fd), memory_(memory), bytes_(bytes) {}
  [[nodiscard]] std::byte* slot_memory(std::uint32_t port, std::uint32_t slot) const noexcept;

  RegionShape shape_;
  int fd_;
  std::byte* memory_;
  std::size_t bytes_;
};

}  // namespace kantrig::card_link
