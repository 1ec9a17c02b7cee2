// State: what outlives a process of an emulated card, and how it is commanded. One small file a card, mapped
// by every process that uses the card and by the program kantrig-emulated-card.
//
// Every figure is an atomic word by itself, so that nothing is ever half written, and a process that maps
// the file sees a command at its next step: when the program has returned, the fault is there. Who waits
// for something sleeps on `epoch` (futex), which each command moves on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace kantrig::emulated {

/// What goes wrong by command. README.md says how each looks to the host.
enum class Fault : std::uint32_t {
  kDie,
  kHang,
  kSlow,
  kCorrupt,
  kRefuseXclbin,
  kDropInterrupt,
  kIoError,
  kFirewall,
  kBusy,
  kAbsent,
};
inline constexpr std::size_t kFaultCount = 10;
/// "die", "hang", ... in the order of Fault.
inline constexpr std::array<std::string_view, kFaultCount> kFaultNames{
    "die",      "hang",     "slow", "corrupt", "refuse-xclbin", "drop-interrupt",
    "io-error", "firewall", "busy", "absent"};

inline constexpr std::uint32_t kLasting = 0xFFFF'FFFF;  // in FaultState::times
/// In the value of kSlow: the lower bits are thousandths of a factor, else microseconds.
inline constexpr std::uint64_t kSlowIsFactor = std::uint64_t{1} << 63U;

struct FaultState {
  std::atomic<std::uint32_t> times;  // it will still strike; kLasting: until cleared
  std::atomic<std::uint64_t> value;  // kSlow: how slow; kRefuseXclbin: errno
  std::atomic<std::uint64_t> taken;  // how often it struck, ever
};

struct CardState {
  std::uint64_t magic;
  std::uint64_t version;
  std::atomic<std::uint32_t> epoch;   // moves with every command
  std::atomic<std::uint32_t> resets;  // by command or by a host
  std::atomic<std::uint32_t> clears;  // of all faults
  std::array<FaultState, kFaultCount> faults;
  std::atomic<std::uint32_t> hung_units;           // bit i: compute unit i hangs until reset or reprogrammed
  std::atomic<std::uint32_t> tripped;              // the firewall cuts the kernels off until reset
  std::atomic<std::uint32_t> instant;              // runs complete at once and do nothing
  std::atomic<std::uint64_t> program_us;           // how long programming another xclbin takes
  std::array<std::atomic<std::uint64_t>, 2> uuid;  // of what the card is programmed with; 0: nothing
  // For `status`:
  std::atomic<std::uint32_t> opener_pid;  // of the latest process that opened the card
  std::atomic<std::uint64_t> opens;
  std::atomic<std::uint64_t> programmed;  // xclbin files
  std::atomic<std::uint64_t> runs;        // that completed
  std::atomic<std::uint64_t> runs_aborted;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "atomics are shared between processes");

/// The mapped file of one card; or memory of this process alone, which nobody can command.
///
/// Threading: any thread; all words are atomic.
class State {
 public:
  /// The file of card `index` in `folder`, made when it is not there. An empty folder: memory of this
  /// process. Throws std::runtime_error that says what to do.
  State(const std::filesystem::path& folder, unsigned index);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] CardState& words() const noexcept { return *words_; }
  [[nodiscard]] const FaultState& fault(Fault fault) const noexcept {
    return words_->faults[static_cast<std::size_t>(fault)];
  }
  /// Whether the fault is there; does not use it up.
  [[nodiscard]] bool armed(Fault fault) const noexcept;
  /// Whether the fault strikes now: uses up one time of it, and counts it.
  [[nodiscard]] bool strikes(Fault fault) const noexcept;
  void arm(Fault fault, std::uint32_t times, std::uint64_t value) const noexcept;
  /// Takes every fault and all that came of it back.
  void clear() const noexcept;
  /// A device reset: what hangs or is cut off is free again, and the card is not programmed.
  void reset() const noexcept;
  [[nodiscard]] bool any_fault() const noexcept;

  /// Moves `epoch` on and wakes all who wait for it, in any process.
  void tell() const noexcept;
  /// Returns when `epoch` is no longer `seen`, or some time later.
  void wait(std::uint32_t seen) const noexcept;

  /// Where locks of card `index` lie; empty when there is no folder.
  [[nodiscard]] std::filesystem::path lock_file(std::string_view name) const;

 private:
  std::filesystem::path folder_;
  unsigned index_;
  CardState* words_;
};

}  // namespace kantrig::emulated
