#include "ledger/ledger_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "ledger/redo.hpp"

namespace kantrig::ledger {
namespace {

using Header = std::array<Word, header::kEnd>;

/// Closes the descriptor unless it was released.
class LockDescriptor {
 public:
  explicit LockDescriptor(int fd) noexcept : fd_(fd) {}
  LockDescriptor(const LockDescriptor&) = delete;
  LockDescriptor& operator=(const LockDescriptor&) = delete;
  ~LockDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<void> check_limits(const LedgerLimits& limits) {
  struct Bound {
    const char* name;
    std::uint32_t value, low, high;
  };
  for (const Bound& b :
       {Bound{"lanes_max", limits.lanes_max, 1, 4096}, Bound{"batches_kept", limits.batches_kept, 1, 65536},
        Bound{"answer_bytes_kept", limits.answer_bytes_kept, 4096, 1U << 30}}) {
    if (b.value < b.low || b.value > b.high) {
      return fail(ErrorCode::kInvalid, "ledger limit {} is {}, expected {} to {}", b.name, b.value, b.low,
                  b.high);
    }
  }
  return {};
}

std::string moving_away(const std::filesystem::path& path) {
  return fmt::format(
      "or, with no client waiting for answers, move {} away: a new one is made, and what the old one holds "
      "of "
      "unrecorded blocks and of answers to be repeated stays in it",
      path.string());
}

Result<void> check_header(const std::filesystem::path& path, const Header& found,
                          const LedgerLimits& limits) {
  using namespace header;
  if (found[kMagicWord] != kMagic) {
    return fail(ErrorCode::kCorrupt,
                "{}: is not a kantrig ledger; move it away or name another state directory", path.string());
  }
  if (found[kVersionWord] != kLayoutVersion || found[kBlockBytesWord] != sizeof(BlockCounts)) {
    return fail(
        ErrorCode::kUnsupported,
        "{}: ledger of layout version {} with blocks of {} bytes, this program knows version {} with {}; "
        "start the program that made it, {}",
        path.string(), found[kVersionWord], found[kBlockBytesWord], kLayoutVersion, sizeof(BlockCounts),
        moving_away(path));
  }
  if (found[kLanesMaxWord] != limits.lanes_max || found[kBatchesKeptWord] != limits.batches_kept ||
      found[kAnswerBytesWord] != limits.answer_bytes_kept) {
    return fail(
        ErrorCode::kInvalid,
        "{}: was made with lanes_max {}, batches_kept {}, answer_bytes_kept {}, the settings say {}, {}, {}; "
        "set them back, {}",
        path.string(), found[kLanesMaxWord], found[kBatchesKeptWord], found[kAnswerBytesWord],
        limits.lanes_max, limits.batches_kept, limits.answer_bytes_kept, moving_away(path));
  }
  return {};
}

void write_header(Word* words, const LedgerLimits& limits, std::uint64_t unix_ns) noexcept {
  using namespace header;
  words[kVersionWord] = kLayoutVersion;
  words[kBlockBytesWord] = sizeof(BlockCounts);
  words[kLanesMaxWord] = limits.lanes_max;
  words[kBatchesKeptWord] = limits.batches_kept;
  words[kAnswerBytesWord] = limits.answer_bytes_kept;
  words[kCreatedWord] = unix_ns;
  base::store_release(words[kMagicWord], kMagic);  // last: without it the file counts as not yet made
}

/// Opens the file and takes the lock on it.
Result<int> open_and_lock(const std::filesystem::path& path) {
  LockDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (fd.get() < 0) return fail(ErrorCode::kIo, "{}: cannot open: {}", path.string(), std::strerror(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return fail(ErrorCode::kIo, "{}: cannot lock: {}", path.string(), std::strerror(errno));
    return fail(ErrorCode::kBusy, "{}: is in use by another process; one state directory serves one daemon",
                path.string());
  }
  return fd.release();
}

/// The header of a file that was made before; nothing when there is none yet, or its making was cut short.
Result<std::optional<Header>> read_header(int fd, const std::filesystem::path& path) {
  Header found{};
  const ssize_t n = ::pread(fd, found.data(), sizeof(found), 0);
  if (n < 0) return fail(ErrorCode::kIo, "{}: cannot read: {}", path.string(), std::strerror(errno));
  if (n == 0) return std::nullopt;
  if (n == sizeof(found) && found[header::kMagicWord] == 0 && found[header::kOpenSlotWord] == 0) {
    if (::ftruncate(fd, 0) != 0)
      return fail(ErrorCode::kIo, "{}: cannot write: {}", path.string(), std::strerror(errno));
    return std::nullopt;
  }
  return found;
}

bool lane_is_sound(const Word* words, const Layout& layout, std::size_t index) noexcept {
  const Word* l = words + layout.lane(index);
  if (l[lane::kUsed] == 0) return true;
  const Word kept = l[lane::kNext] - l[lane::kOldest];
  if (l[lane::kUsed] != 1 || l[lane::kSource] > UINT32_MAX || l[lane::kLane] > UINT32_MAX ||
      l[lane::kOldest] == 0 || l[lane::kOldest] > l[lane::kNext] || kept > layout.limits.batches_kept ||
      l[lane::kSourceSlot] >= BlockCounts::kSourcesMax) {
    return false;
  }
  const Word ring = layout.limits.answer_bytes_kept;
  for (Word s = l[lane::kOldest]; s != l[lane::kNext]; ++s) {
    const Word* e = words + layout.entry(index, s);
    if (e[answer::kBytes] > ring || e[answer::kPlace] > l[lane::kRingHead] ||
        e[answer::kPlace] % ring + e[answer::kBytes] > ring) {
      return false;
    }
  }
  return true;
}

bool blocks_are_sound(const Word* words, const Layout& layout) noexcept {
  const Word open = words[header::kOpenSlotWord];
  if (open > slot::kSlots) return false;
  for (std::size_t i = 0; i < slot::kSlots; ++i) {
    const Word state = words[layout.slot(i) + slot::kStateWord];
    if (state > slot::kClosed || (state == slot::kOpen) != (open == i + 1)) return false;
  }
  return true;
}

/// Finishes what was cut short, and checks the rest.
Result<void> recover(Word* words, const Layout& layout, const std::filesystem::path& path) {
  const auto corrupt = [&](std::string_view what) {
    return fail(ErrorCode::kCorrupt,
                "{}: {} is out of bounds (power loss, or another program wrote to it); restore it, {}",
                path.string(), what, moving_away(path));
  };
  if (!RedoRecord::is_valid(words, layout)) return corrupt("the redo record");
  RedoRecord::finish(words, layout.redo_word);
  if (!blocks_are_sound(words, layout)) return corrupt("the table of blocks");
  for (std::size_t i = 0; i < layout.limits.lanes_max; ++i) {
    if (!lane_is_sound(words, layout, i)) return corrupt(fmt::format("lane {}", i));
  }
  return {};
}

}  // namespace

Result<LedgerFile> LedgerFile::open(const std::filesystem::path& path, const LedgerLimits& limits,
                                    std::uint64_t unix_ns) {
  if (auto ok = check_limits(limits); !ok) return tl::unexpected(ok.error());
  auto fd = open_and_lock(path);
  if (!fd) return tl::unexpected(fd.error());
  LockDescriptor lock(*fd);
  const auto found = read_header(lock.get(), path);
  if (!found) return tl::unexpected(found.error());
  if (found->has_value()) {
    if (auto ok = check_header(path, **found, limits); !ok) return tl::unexpected(ok.error());
  }
  const Layout layout(limits);
  auto mapped = base::MappedFile::open(path, layout.bytes);
  if (!mapped) return tl::unexpected(mapped.error().within("ledger"));
  LedgerFile file(std::move(*mapped), layout, lock.release());
  if (!found->has_value()) {
    write_header(file.words(), limits, unix_ns);
    if (auto ok = file.sync(); !ok) return tl::unexpected(ok.error().within(path.string()));
  }
  if (auto ok = recover(file.words(), layout, path); !ok) return tl::unexpected(ok.error());
  return file;
}

LedgerFile::LedgerFile(base::MappedFile file, const Layout& layout, int lock) noexcept
    : file_(std::move(file)), layout_(layout), lock_(lock) {}

LedgerFile::LedgerFile(LedgerFile&& other) noexcept
    : file_(std::move(other.file_)), layout_(other.layout_), lock_(std::exchange(other.lock_, -1)) {}

LedgerFile& LedgerFile::operator=(LedgerFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(layout_, other.layout_);
  std::swap(lock_, other.lock_);
  return *this;
}

LedgerFile::~LedgerFile() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace kantrig::ledger
