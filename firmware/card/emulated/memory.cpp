#include "card/emulated/memory.hpp"

#include <sys/mman.h>

#include <algorithm>

namespace kantrig::emulated {

Memory::Memory(const std::vector<card::MemoryEntry>& banks) : entries_(banks) {
  std::uint64_t total = 0;
  for (const card::MemoryEntry& entry : banks) {
    if (entry.bytes > kMemoryBytesMax - total || entry.base + entry.bytes < entry.base) {
      valid_ = false;
      return;
    }
    total += entry.bytes;
    Bank bank{.base = entry.base, .bytes = entry.bytes};
    if (entry.bytes != 0) {
      void* const at = ::mmap(nullptr, entry.bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (at == MAP_FAILED) {
        valid_ = false;
        return;
      }
      ::madvise(at, entry.bytes, MADV_DONTDUMP);
      bank.data = static_cast<std::byte*>(at);
    }
    banks_.push_back(std::move(bank));
  }
}

Memory::~Memory() {
  for (const Bank& bank : banks_) {
    if (bank.data != nullptr) ::munmap(bank.data, bank.bytes);
  }
}

bool Memory::same_banks(const std::vector<card::MemoryEntry>& banks) const {
  return std::ranges::equal(entries_, banks, [](const card::MemoryEntry& a, const card::MemoryEntry& b) {
    return a.base == b.base && a.bytes == b.bytes && a.used == b.used && a.tag == b.tag;
  });
}

std::optional<std::uint64_t> Memory::allocate(std::uint32_t index, std::uint64_t bytes) {
  if (index >= banks_.size() || bytes == 0 || bytes > kMemoryBytesMax) return std::nullopt;
  const std::lock_guard lock(mutex_);
  Bank& bank = banks_[index];
  const std::uint64_t size = (bytes + kMemoryGranule - 1) / kMemoryGranule * kMemoryGranule;
  std::uint64_t begin = bank.base;
  for (const auto& [address, taken] : bank.taken) {
    if (address - begin >= size) break;
    begin = address + taken;
  }
  if (size > bank.bytes || begin - bank.base > bank.bytes - size) return std::nullopt;
  bank.taken[begin] = size;
  return begin;
}

void Memory::release(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  for (Bank& bank : banks_) {
    const auto found = bank.taken.find(address);
    if (found == bank.taken.end()) continue;
    ::madvise(bank.data + (address - bank.base), found->second, MADV_DONTNEED);
    bank.taken.erase(found);
    return;
  }
}

std::byte* Memory::at(std::uint64_t address, std::uint64_t bytes) const noexcept {
  for (const Bank& bank : banks_) {
    if (address >= bank.base && address - bank.base <= bank.bytes &&
        bytes <= bank.bytes - (address - bank.base)) {
      return bank.data + (address - bank.base);
    }
  }
  return nullptr;
}

}  // namespace kantrig::emulated
