#include "card/emulated/compute_unit.hpp"

#include <ert.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

#include "card/registers.hpp"

namespace kantrig::emulated {
namespace {

using card::offset_of;
using Clock = std::chrono::steady_clock;
// Waits of a steady clock end in pthread_cond_clockwait(), which GCC 12's ThreadSanitizer does not know.
using WaitClock = std::chrono::system_clock;

constexpr std::uint32_t kControl = offset_of("control");
constexpr std::uint32_t kStart = 1;
constexpr std::uint32_t kFirstArgumentWord = 4;  // those before are the control registers
constexpr std::uint64_t kSliceClocks = 1U << 20U;
constexpr std::uint32_t kCutOff = 0xFFFF'FFFF;  // what reads behind a tripped firewall give
constexpr int kOkay = 0;
constexpr int kDecodeError = 3;

int fetch_word(void* owner, std::uint64_t address, void* word) {
  const std::byte* const at = static_cast<Memory*>(owner)->at(address, card::kMemoryWordBytes);
  if (at == nullptr) return kDecodeError;
  std::memcpy(word, at, card::kMemoryWordBytes);
  return kOkay;
}

int store_word(void* owner, std::uint64_t address, const void* word, std::uint64_t strobe) {
  std::byte* const at = static_cast<Memory*>(owner)->at(address, card::kMemoryWordBytes);
  if (at == nullptr) return kDecodeError;
  if (strobe == ~std::uint64_t{0}) {
    std::memcpy(at, word, card::kMemoryWordBytes);
    return kOkay;
  }
  for (; strobe != 0; strobe &= strobe - 1) {
    const int i = std::countr_zero(strobe);
    at[i] = static_cast<const std::byte*>(word)[i];
  }
  return kOkay;
}

}  // namespace

void Completions::add() {
  const std::lock_guard lock(mutex_);
  ++count_;
  changed_.notify_one();
}

bool Completions::wait(int ms) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return count_ != 0; };
  if (ms < 0) {
    changed_.wait(lock, ready);
  } else if (!changed_.wait_until(lock, WaitClock::now() + std::chrono::milliseconds(ms), ready)) {
    return false;
  }
  --count_;
  return true;
}

void Command::set_state(std::uint32_t state) const {
  const std::uint32_t word = __atomic_load_n(header, __ATOMIC_RELAXED);
  __atomic_store_n(header, (word & ~0xFU) | state, __ATOMIC_RELEASE);
}

/// The kernel for a thread that is not the unit's: ends the slice that runs.
class ComputeUnit::Access {
 public:
  explicit Access(ComputeUnit& unit) : unit_(unit) {
    __atomic_fetch_add(&unit_.waiting_, 1, __ATOMIC_RELAXED);
    lock_ = std::unique_lock(unit_.mutex_);
  }
  ~Access() {
    if (__atomic_sub_fetch(&unit_.waiting_, 1, __ATOMIC_RELAXED) == 0) unit_.handed_over_.notify_all();
  }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

 private:
  ComputeUnit& unit_;
  std::unique_lock<std::mutex> lock_;
};

ComputeUnit::ComputeUnit(const Fabric& fabric, Memory& memory, const State& state, unsigned index)
    : fabric_(fabric), memory_(memory), state_(state), index_(index), random_(std::random_device{}()) {
  const kantrig_kernel_memory port{.owner = &memory_, .fetch = fetch_word, .store = store_word};
  kernel_ = fabric_.create(port);
  if (kernel_ == nullptr) throw std::bad_alloc();
  thread_ = std::thread([this] { work(); });
}

ComputeUnit::~ComputeUnit() {
  {
    const Access access(*this);
    quit_ = true;
    wake_.notify_all();
  }
  thread_.join();
  fabric_.destroy(kernel_);
}

void ComputeUnit::submit(Command command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  wake_.notify_all();
}

std::size_t ComputeUnit::load() const {
  const std::lock_guard lock(mutex_);
  return commands_.size() + (running_ ? 1 : 0);
}

void ComputeUnit::abort(const Completions* of) {
  const Access access(*this);
  const auto concerned = [&](const Command& command) {
    return of == nullptr || command.completions.get() == of;
  };
  std::erase_if(commands_, [&](const Command& command) {
    if (!concerned(command)) return false;
    command.set_state(ERT_CMD_STATE_ABORT);
    command.completions->add();
    state_.words().runs_aborted.fetch_add(1);
    return true;
  });
  if (running_ && concerned(*running_)) abort_running_ = true;
  wake_.notify_all();
}

void ComputeUnit::reset() {
  abort(nullptr);
  const Access access(*this);
  free_running_ = false;
  fabric_.reset(kernel_);
  line_ = false;
}

void ComputeUnit::wake() {
  const Access access(*this);
  wake_.notify_all();
}

std::uint32_t ComputeUnit::read(std::uint32_t offset) {
  const Access access(*this);
  if (state_.words().tripped.load() != 0) return kCutOff;
  // A kernel that hangs is neither done nor idle; its other registers answer.
  if (offset == kControl && hung()) return kStart;
  const std::uint32_t value = fabric_.read(kernel_, offset);
  look_at_line();
  return value;
}

void ComputeUnit::write(std::uint32_t offset, std::uint32_t value) {
  const Access access(*this);
  if (state_.words().tripped.load() != 0) return;
  if (offset == kControl && (value & kStart) != 0) {
    if (state_.strikes(Fault::kHang)) hang();
    if (hung()) return;
    free_running_ = true;
    wake_.notify_all();
  }
  fabric_.write(kernel_, offset, value);
  look_at_line();
}

void ComputeUnit::notify(int event_fd) {
  const Access access(*this);
  event_fd_ = event_fd;
}

void ComputeUnit::look_at_line() {
  const bool line = fabric_.interrupt(kernel_) != 0;
  const bool rose = line && !line_;
  line_ = line;
  if (!rose || event_fd_ < 0 || state_.strikes(Fault::kDropInterrupt)) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(event_fd_, &one, sizeof one));  // full: the reader is told anyway
}

bool ComputeUnit::hung() const noexcept {
  return (state_.words().hung_units.load() >> index_ & 1U) != 0;
}

void ComputeUnit::hang() noexcept {
  state_.words().hung_units.fetch_or(1U << index_);
}

bool ComputeUnit::lost() const noexcept {
  return hung() || state_.armed(Fault::kDie);
}

void ComputeUnit::hand_over(std::unique_lock<std::mutex>& lock) {
  handed_over_.wait(lock, [this] { return __atomic_load_n(&waiting_, __ATOMIC_RELAXED) == 0; });
}

void ComputeUnit::work() {
  std::unique_lock lock(mutex_);
  while (!quit_) {
    if (!commands_.empty()) {
      running_ = std::move(commands_.front());
      commands_.pop_front();
      abort_running_ = false;
      execute(lock);
      running_.reset();
    } else if (free_running_ && !lost()) {
      const int end = fabric_.run(kernel_, kSliceClocks, &waiting_);
      look_at_line();
      if (end == KANTRIG_KERNEL_STOPPED || fabric_.idle(kernel_) != 0) free_running_ = false;
      hand_over(lock);
    } else {
      wake_.wait(lock);
    }
  }
}

void ComputeUnit::execute(std::unique_lock<std::mutex>& lock) {
  const Command& command = *running_;
  command.set_state(ERT_CMD_STATE_RUNNING);
  if (state_.words().tripped.load() != 0) return finish(ERT_CMD_STATE_ABORT);
  if (state_.strikes(Fault::kHang)) hang();
  if (!hung() && !state_.armed(Fault::kDie) && state_.words().instant.load() == 0) {
    for (std::uint32_t i = kFirstArgumentWord; i < command.register_count; ++i)
      fabric_.write(kernel_, 4 * i, command.registers[i]);
    fabric_.write(kernel_, kControl, kStart);
  }
  const std::uint64_t deaths = state_.fault(Fault::kDie).taken.load();
  const auto begin = Clock::now();
  if (!simulate(lock)) return;
  const auto simulated = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
  slow_down(lock, static_cast<std::uint64_t>(simulated.count()));
  while (lost() && !quit_ && !abort_running_) wake_.wait(lock);
  if (quit_) return;
  // What was lost stays lost, also when the card is back already.
  const bool died = state_.fault(Fault::kDie).taken.load() != deaths;
  if (abort_running_ || died || state_.words().tripped.load() != 0) return finish(ERT_CMD_STATE_ABORT);
  if (state_.strikes(Fault::kCorrupt)) corrupt();
  finish(ERT_CMD_STATE_COMPLETED);
}

/// Clocks until the run is done. False when the command is already finished, or will never be.
bool ComputeUnit::simulate(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (quit_) return false;
    if (abort_running_ || state_.words().tripped.load() != 0) {
      fabric_.reset(kernel_);
      finish(ERT_CMD_STATE_ABORT);
      return false;
    }
    if (lost()) {  // until reset, reprogrammed or revived
      wake_.wait(lock);
      if (lost() || quit_ || abort_running_) continue;
      abort_running_ = true;  // what was lost stays lost
      continue;
    }
    if (state_.words().instant.load() != 0) return true;
    const int end = fabric_.run(kernel_, kSliceClocks, &waiting_);
    if (end == KANTRIG_KERNEL_DONE) {
      look_at_line();
      static_cast<void>(fabric_.read(kernel_, kControl));  // as the driver does: takes `done` back
      return true;
    }
    if (end == KANTRIG_KERNEL_STOPPED) {
      finish(ERT_CMD_STATE_ERROR);
      return false;
    }
    hand_over(lock);
  }
}

void ComputeUnit::slow_down(std::unique_lock<std::mutex>& lock, std::uint64_t simulated_ns) {
  if (!state_.strikes(Fault::kSlow)) return;
  const std::uint64_t value = state_.fault(Fault::kSlow).value.load();
  const bool factor = (value & kSlowIsFactor) != 0;
  const std::uint64_t thousandths = value & ~kSlowIsFactor;
  const std::uint64_t extra_ns =
      factor ? simulated_ns / 1000 * (std::max<std::uint64_t>(thousandths, 1000) - 1000) : value * 1000;
  const std::uint32_t clears = state_.words().clears.load();
  wake_.wait_until(lock, WaitClock::now() + std::chrono::nanoseconds(extra_ns), [&] {
    return quit_ || abort_running_ || lost() || state_.words().tripped.load() != 0 ||
           state_.words().clears.load() != clears;
  });
}

/// Flips one bit of what the run gave, between the first and the last bit of some event's scores.
void ComputeUnit::corrupt() {
  const Command& command = *running_;
  const auto argument = [&](std::uint32_t offset) -> std::uint64_t {
    return offset / 4 < command.register_count ? command.registers[offset / 4] : 0;
  };
  const std::uint64_t events = argument(offset_of("events"));
  if (argument(offset_of("mode")) != static_cast<std::uint32_t>(card::Mode::kDecide) || events == 0) return;
  const std::uint64_t bits = fabric_.read(kernel_, offset_of("output_bits"));
  const std::uint64_t record_bits = fabric_.read(kernel_, offset_of("output_record_bits"));
  if (bits == 0) return;
  const std::uint64_t output = argument(offset_of("output") + 4) << 32U | argument(offset_of("output"));
  const std::uint64_t bit = random_() % events * record_bits + random_() % bits;
  std::byte* const at = memory_.at(output + bit / 8, 1);
  if (at != nullptr) *at ^= static_cast<std::byte>(1U << (bit % 8));
}

void ComputeUnit::finish(std::uint32_t state) {
  const Command& command = *running_;
  CardState& words = state_.words();
  (state == ERT_CMD_STATE_COMPLETED ? words.runs : words.runs_aborted).fetch_add(1);
  command.set_state(state);
  if (state == ERT_CMD_STATE_COMPLETED && state_.strikes(Fault::kDropInterrupt)) return;
  command.completions->add();
}

}  // namespace kantrig::emulated
