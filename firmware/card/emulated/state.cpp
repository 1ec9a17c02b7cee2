#include "card/emulated/state.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <new>
#include <stdexcept>

namespace kantrig::emulated {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMagic = 0x4B41'4E54'4341'5244;  // "KANTCARD"
constexpr std::uint64_t kVersion = 2;
constexpr std::time_t kWaitSeconds = 1;

std::runtime_error cannot(const std::string& action, const fs::path& path) {
  return std::runtime_error(path.string() + ": cannot " + action + ": " + std::strerror(errno));
}

/// Unlocks and closes what it holds. A mapping keeps the file open, and a lock on it with it.
struct Descriptor {
  int fd;
  ~Descriptor() {
    ::flock(fd, LOCK_UN);
    ::close(fd);
  }
};

CardState* map_file(const fs::path& folder, unsigned index) {
  const fs::path path = folder / ("card" + std::to_string(index));
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  if (fd < 0) throw cannot("open or make the card's state (does the folder exist?)", path);
  const Descriptor file{fd};
  if (::flock(fd, LOCK_EX) != 0) throw cannot("lock", path);  // against another that makes it right now
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw cannot("look at", path);
  const bool fresh = info.st_size == 0;
  if (fresh && ::ftruncate(fd, sizeof(CardState)) != 0) throw cannot("reserve", path);
  if (!fresh && info.st_size != sizeof(CardState))
    throw std::runtime_error(path.string() + ": is no state of this version; remove it");
  void* const at = ::mmap(nullptr, sizeof(CardState), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) throw cannot("map", path);
  auto* const words = static_cast<CardState*>(at);
  if (fresh) {  // the file's zeros are every atomic's start
    words->magic = kMagic;
    words->version = kVersion;
  }
  if (words->magic != kMagic || words->version != kVersion) {
    ::munmap(at, sizeof(CardState));
    throw std::runtime_error(path.string() + ": is no state of this version; remove it");
  }
  return words;
}

CardState* own_memory() {
  void* const at =
      ::mmap(nullptr, sizeof(CardState), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  return static_cast<CardState*>(at);
}

}  // namespace

State::State(const fs::path& folder, unsigned index)
    : folder_(folder), index_(index), words_(folder.empty() ? own_memory() : map_file(folder, index)) {}

State::~State() {
  ::munmap(words_, sizeof(CardState));
}

bool State::armed(Fault fault) const noexcept {
  return this->fault(fault).times.load() != 0;
}

bool State::strikes(Fault fault) const noexcept {
  FaultState& state = words_->faults[static_cast<std::size_t>(fault)];
  std::uint32_t times = state.times.load();
  do {
    if (times == 0) return false;
  } while (times != kLasting && !state.times.compare_exchange_weak(times, times - 1));
  state.taken.fetch_add(1);
  return true;
}

void State::arm(Fault fault, std::uint32_t times, std::uint64_t value) const noexcept {
  FaultState& state = words_->faults[static_cast<std::size_t>(fault)];
  state.times.store(0);  // nobody takes the new value for the old times
  state.value.store(value);
  state.times.store(times);
  // These need no call to strike.
  if (fault == Fault::kDie || fault == Fault::kFirewall) state.taken.fetch_add(1);
  if (fault == Fault::kFirewall) {
    words_->tripped.store(1);
    if (times != kLasting) state.times.store(0);
  }
  tell();
}

void State::clear() const noexcept {
  for (FaultState& fault : words_->faults) fault.times.store(0);
  words_->hung_units.store(0);
  words_->tripped.store(0);
  words_->clears.fetch_add(1);
  tell();
}

void State::reset() const noexcept {
  words_->hung_units.store(0);
  words_->tripped.store(armed(Fault::kFirewall) ? 1 : 0);
  words_->uuid[0].store(0);
  words_->uuid[1].store(0);
  words_->resets.fetch_add(1);
  tell();
}

bool State::any_fault() const noexcept {
  if (words_->hung_units.load() != 0 || words_->tripped.load() != 0) return true;
  for (const FaultState& fault : words_->faults) {
    if (fault.times.load() != 0) return true;
  }
  return false;
}

void State::tell() const noexcept {
  words_->epoch.fetch_add(1);
  ::syscall(SYS_futex, &words_->epoch, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void State::wait(std::uint32_t seen) const noexcept {
  const std::timespec limit{.tv_sec = kWaitSeconds, .tv_nsec = 0};
  ::syscall(SYS_futex, &words_->epoch, FUTEX_WAIT, seen, &limit, nullptr, 0);
}

fs::path State::lock_file(std::string_view name) const {
  if (folder_.empty()) return {};
  return folder_ / ("card" + std::to_string(index_) + "." + std::string(name));
}

}  // namespace kantrig::emulated
