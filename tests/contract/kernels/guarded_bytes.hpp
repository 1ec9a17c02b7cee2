// Bytes that end right before a page that nobody may read.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <span>

namespace kantrig::test {

class GuardedBytes {
 public:
  explicit GuardedBytes(std::span<const std::byte> content) : size_(content.size()) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    mapped_ = (size_ + page - 1) / page * page + page;
    memory_ = static_cast<std::byte*>(
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    valid_ = memory_ != MAP_FAILED && mprotect(memory_ + mapped_ - page, page, PROT_NONE) == 0;
    if (!valid_) return;
    first_ = memory_ + mapped_ - page - size_;
    if (size_ != 0) std::memcpy(first_, content.data(), size_);
  }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;
  ~GuardedBytes() { munmap(memory_, mapped_); }

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {first_, size_}; }

 private:
  std::size_t size_;
  std::size_t mapped_ = 0;
  std::byte* memory_ = nullptr;
  std::byte* first_ = nullptr;
  bool valid_ = false;
};

}  // namespace kantrig::test
