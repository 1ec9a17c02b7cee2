// AlignedBytes: zeroed memory that starts on a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace kantrig::kernels {

inline constexpr std::size_t kCacheLineBytes = 64;

class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(std::size_t size)
      : data_(static_cast<std::uint8_t*>(
            ::operator new (size + kCacheLineBytes, std::align_val_t{kCacheLineBytes}))) {
    for (std::size_t i = 0; i < size + kCacheLineBytes; ++i) data_.get()[i] = 0;
  }

  [[nodiscard]] std::uint8_t* data() const noexcept { return data_.get(); }
  /// The same memory as `T`s; the caller uses it as nothing else.
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::uint8_t* data) const noexcept {
      ::operator delete (data, std::align_val_t{kCacheLineBytes});
    }
  };
  std::unique_ptr<std::uint8_t, Free> data_;
};

}  // namespace kantrig::kernels
