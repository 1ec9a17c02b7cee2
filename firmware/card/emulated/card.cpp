#include "card/emulated/card.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>

namespace kantrig::emulated {
namespace {

constexpr std::size_t kUnitsMax = 128;  // bits of a command's masks

std::array<std::uint64_t, 2> words_of(std::string_view uuid) {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), uuid.data(), sizeof words);
  return words;
}

bool is_in(const CardState& state, std::string_view uuid) {
  const auto words = words_of(uuid);
  return state.uuid[0].load() == words[0] && state.uuid[1].load() == words[1];
}

/// The driver would write this into the kernel's log.
void complain(const std::string& what) {
  std::fprintf(stderr, "kantrig emulated card: %s\n", what.c_str());
}

}  // namespace

ProcessLock::ProcessLock(const std::filesystem::path& file) {
  if (!file.empty()) fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
}
ProcessLock::~ProcessLock() {
  if (fd_ >= 0) ::close(fd_);
}
bool ProcessLock::take(bool shared) const noexcept {
  return fd_ < 0 || ::flock(fd_, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
}
void ProcessLock::release() const noexcept {
  if (fd_ >= 0) ::flock(fd_, LOCK_UN);
}

Card::Card(const std::filesystem::path& folder, unsigned index)
    : state_(folder, index), contexts_lock_(state_.lock_file("contexts")) {
  resets_seen_ = state_.words().resets.load();
  watcher_ = std::thread([this] { watch(); });
}

Card::~Card() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  state_.tell();
  watcher_.join();
}

/// Hands commands from outside on to whoever waits in this process.
void Card::watch() {
  for (;;) {
    const std::uint32_t seen = state_.words().epoch.load();
    std::shared_ptr<Programmed> programmed;
    bool reset = false;
    {
      const std::lock_guard lock(mutex_);
      if (quit_) return;
      const std::uint32_t resets = state_.words().resets.load();
      reset = resets != resets_seen_;
      resets_seen_ = resets;
      programmed = programmed_;
      changed_.notify_all();
    }
    if (programmed != nullptr) {
      for (const auto& unit : programmed->units) reset ? unit->reset() : unit->wake();
    }
    if (reset && programmed != nullptr) {
      const std::lock_guard lock(mutex_);
      programmed->uuid.clear();
    }
    state_.wait(seen);
  }
}

Opening* Card::open() {
  if (dead() || state_.armed(Fault::kAbsent)) return nullptr;
  auto opening = std::make_unique<Opening>();
  state_.words().opener_pid.store(static_cast<std::uint32_t>(::getpid()));
  state_.words().opens.fetch_add(1);
  const std::lock_guard lock(mutex_);
  openings_.insert(opening.get());
  return opening.release();
}

void Card::close(Opening* opening) {
  if (const auto programmed = this->programmed(); programmed != nullptr) {
    for (const auto& unit : programmed->units) unit->abort(opening->completions.get());
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [unit, count] : opening->contexts) {
    for (unsigned i = 0; i < count; ++i) release_unit(unit);
  }
  openings_.erase(opening);
  delete opening;
  if (openings_.empty()) buffers_.clear();  // as the driver does for a process that goes
}

std::shared_ptr<Programmed> Card::programmed() const {
  const std::lock_guard lock(mutex_);
  return programmed_;
}

bool Card::is_programmed_with(std::string_view uuid) const {
  const std::lock_guard lock(mutex_);
  return programmed_ != nullptr && programmed_->uuid == uuid && is_in(state_.words(), uuid);
}

int Card::check_before_programming(std::string_view uuid) const {
  if (dead()) return -ENODEV;
  if (uuid.find_first_not_of('\0') == std::string_view::npos) return -EINVAL;
  const std::lock_guard lock(mutex_);
  return context_counts_.empty() ? 0 : -EBUSY;
}

/// Writing a bitstream takes seconds on a real card; a card that has it already is programmed at once.
int Card::wait_while_programming(std::string_view uuid) {
  if (is_in(state_.words(), uuid)) return 0;
  const auto end =
      std::chrono::system_clock::now() + std::chrono::microseconds(state_.words().program_us.load());
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, end, [this] { return dead(); });
  return dead() ? -ENODEV : 0;
}

int Card::program(std::string_view file) {
  const auto view = card::XclbinView::of(file);
  if (!view) return -EINVAL;
  const std::string uuid(view->uuid());
  const std::lock_guard only_one(programming_);
  if (is_programmed_with(uuid)) return dead() ? -ENODEV : 0;
  if (state_.strikes(Fault::kRefuseXclbin))
    return -static_cast<int>(state_.fault(Fault::kRefuseXclbin).value.load());
  if (const int refused = check_before_programming(uuid); refused != 0) return refused;
  const auto banks = view->memory();
  const auto kernels = view->kernels();
  const auto bitstream = view->section(card::Section::kBitstream);
  if (!banks || !kernels || kernels->empty() || kernels->size() > kUnitsMax || !bitstream) return -EINVAL;
  const bool fresh = !is_in(state_.words(), uuid);
  if (!contexts_lock_.take(/*shared=*/!fresh)) return -EBUSY;
  struct Release {
    const ProcessLock& lock;
    ~Release() { lock.release(); }
  } const release{contexts_lock_};
  std::shared_ptr<Memory> memory;
  {
    const std::lock_guard lock(mutex_);
    const bool keep = memory_ != nullptr && memory_->same_banks(*banks);
    if (!keep && !buffers_.empty() && memory_ != nullptr) return -EPERM;
    if (keep) memory = memory_;
  }
  if (memory == nullptr) memory = std::make_shared<Memory>(*banks);
  if (!memory->valid()) return -ENOMEM;
  if (const int lost = wait_while_programming(uuid); lost != 0) return lost;
  auto next = std::make_shared<Programmed>();
  next->memory = memory;
  try {
    if (fresh) state_.words().hung_units.store(0);
    next->uuid = uuid;
    next->fabric = std::make_unique<Fabric>(*bitstream);
    for (unsigned i = 0; i < kernels->size(); ++i)
      next->units.push_back(std::make_unique<ComputeUnit>(*next->fabric, *memory, state_, i));
  } catch (const std::exception& error) {
    complain(std::string("cannot program: ") + error.what());
    next->units.clear();
    return -EINVAL;
  }
  const auto words = words_of(uuid);
  if (fresh) state_.words().programmed.fetch_add(1);
  state_.words().uuid[0].store(words[0]);
  state_.words().uuid[1].store(words[1]);
  const std::lock_guard lock(mutex_);
  programmed_.swap(next);
  memory_ = std::move(memory);
  return 0;
}

void Card::reset() {
  std::shared_ptr<Programmed> programmed;
  {
    const std::lock_guard lock(mutex_);
    state_.reset();
    resets_seen_ = state_.words().resets.load();  // done here, not by watch()
    programmed = programmed_;
    if (programmed == nullptr) return;
    programmed->uuid.clear();
  }
  for (const auto& unit : programmed->units) unit->reset();
}

int Card::open_context(Opening& opening, std::string_view uuid, unsigned unit, bool shared) {
  if (dead()) return -ENODEV;
  if (state_.strikes(Fault::kBusy)) return -EBUSY;
  const std::lock_guard lock(mutex_);
  if (programmed_ == nullptr || programmed_->uuid != uuid || !is_in(state_.words(), uuid)) return -EINVAL;
  if (unit != kVirtualUnit && unit >= programmed_->units.size()) return -EINVAL;
  if (const int refused = take_unit(unit, shared); refused != 0) return refused;
  ++opening.contexts[unit];
  return 0;
}

/// With mutex_ held.
int Card::take_unit(unsigned unit, bool shared) {
  const bool taken = context_counts_.contains(unit);
  if (unit != kVirtualUnit && taken && (!shared || exclusive_.contains(unit))) return -EBUSY;
  if (context_counts_.empty() && !contexts_lock_.take(true)) return -EBUSY;
  if (unit != kVirtualUnit && !taken) {
    auto& lock = unit_locks_[unit];
    if (lock == nullptr)
      lock = std::make_unique<ProcessLock>(state_.lock_file("unit" + std::to_string(unit)));
    if (!lock->take(shared)) {
      if (context_counts_.empty()) contexts_lock_.release();
      return -EBUSY;
    }
    if (!shared) exclusive_.insert(unit);
  }
  ++context_counts_[unit];
  return 0;
}

/// With mutex_ held.
void Card::release_unit(unsigned unit) {
  const auto found = context_counts_.find(unit);
  if (found == context_counts_.end() || --found->second != 0) return;
  context_counts_.erase(found);
  exclusive_.erase(unit);
  if (const auto lock = unit_locks_.find(unit); lock != unit_locks_.end()) lock->second->release();
  if (context_counts_.empty()) contexts_lock_.release();
}

int Card::close_context(Opening& opening, unsigned unit) {
  const std::lock_guard lock(mutex_);
  const auto found = opening.contexts.find(unit);
  if (found == opening.contexts.end()) return -EINVAL;
  if (--found->second == 0) opening.contexts.erase(found);
  release_unit(unit);
  return 0;
}

}  // namespace kantrig::emulated
