// Memory: the banks of an emulated card. Sparse: pages that nobody wrote cost nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "card/xclbin_view.hpp"

namespace kantrig::emulated {

inline constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{64} << 30U;  // of all banks together
inline constexpr std::uint64_t kMemoryGranule = 4096;

/// Threading: any thread. Nobody orders accesses to the bytes, as on a card.
class Memory {
 public:
  /// valid() is false afterwards when the banks are more than kMemoryBytesMax or cannot be mapped.
  explicit Memory(const std::vector<card::MemoryEntry>& banks);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] bool valid() const noexcept { return valid_; }
  [[nodiscard]] bool same_banks(const std::vector<card::MemoryEntry>& banks) const;

  /// Address of `bytes` in bank `index`, a multiple of kMemoryGranule; nullopt when there is no room.
  [[nodiscard]] std::optional<std::uint64_t> allocate(std::uint32_t index, std::uint64_t bytes);
  void release(std::uint64_t address);

  /// Where `bytes` from `address` on lie in this process; null when they are not all of one bank.
  [[nodiscard]] std::byte* at(std::uint64_t address, std::uint64_t bytes) const noexcept;

 private:
  struct Bank {
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;
    std::byte* data = nullptr;
    std::map<std::uint64_t, std::uint64_t> taken{};  // bytes by address
  };
  std::mutex mutex_;  // of what is taken
  std::vector<card::MemoryEntry> entries_;
  std::vector<Bank> banks_;
  bool valid_ = true;
};

}  // namespace kantrig::emulated
