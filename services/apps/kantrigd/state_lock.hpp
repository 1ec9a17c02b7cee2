// StateLock: holds the state directory, since two daemons on one ledger would ruin it.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace kantrig::apps {

/// Held until destroyed, or until the process ends in whatever way.
class StateLock {
 public:
  /// Makes the folder if need be. Errors: it cannot be written; another daemon holds it (kBusy).
  [[nodiscard]] static Result<StateLock> take(const std::filesystem::path& folder);
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock();

 private:
  explicit StateLock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace kantrig::apps
