// Words of a mapped file or of shared memory that another thread reads, and the seqlock over them.
//
// Every store is a release and every load an acquire. On x86-64 both are plain moves; what they buy is order:
// stores reach the mapping in the order in which they are written down (what a crash then leaves behind is a
// prefix of them), and the seqlock needs no fence, so that ThreadSanitizer understands it.
#pragma once

#include <atomic>
#include <cstdint>

namespace kantrig::base {

/// Pairs with every store_release() to the same word.
[[nodiscard]] inline std::uint64_t load_acquire(const std::uint64_t& word) noexcept {
  // C++20 has no atomic_ref to const; nothing is written through this one.
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(word)).load(std::memory_order_acquire);
}

/// Pairs with load_acquire() of the same word. Stores before it in the program stay before it.
inline void store_release(std::uint64_t& word, std::uint64_t value) noexcept {
  std::atomic_ref<std::uint64_t>(word).store(value, std::memory_order_release);
}

/// Keeps the compiler from moving plain stores across this point. Orders nothing between threads.
inline void compiler_barrier() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Lets readers copy many words as of one moment without ever holding up their one writer.
///
/// The words themselves must be stored by store_release() and read by load_acquire(): a reader that sees a
/// word from inside a write then also sees the odd version stored before it, and tries again.
class SequenceLock {
 public:
  void begin_write() noexcept {
    // Relaxed: only the writer stores; the release stores to the words that follow cannot pass this one.
    version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void end_write() noexcept {
    version_.store(version_.load(std::memory_order_relaxed) + 1,
                   std::memory_order_release);  // pairs with begin_read()
  }

  /// Odd: a write is going on.
  [[nodiscard]] std::uint64_t begin_read() const noexcept {
    return version_.load(std::memory_order_acquire);  // pairs with end_write()
  }
  /// True when what was read since begin_read() gave `version` is as of one moment.
  [[nodiscard]] bool is_consistent(std::uint64_t version) const noexcept {
    // Relaxed: the acquire loads of the words stand before it.
    return version % 2 == 0 && version_.load(std::memory_order_relaxed) == version;
  }

 private:
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace kantrig::base
