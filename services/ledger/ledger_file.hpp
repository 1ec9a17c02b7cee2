// LedgerFile: the mapped file of one shard's ledger, opened by one process at a time, and checked.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/file.hpp"
#include "base/result.hpp"
#include "ledger/layout.hpp"

namespace kantrig::ledger {

/// Threading: one owner. Everything it refers to may be read by another thread through base::load_acquire().
class LedgerFile {
 public:
  /// Opens or creates the file, finishes a change that was cut short, and checks that everything in it is
  /// within bounds, so that no content can make the ledger reach outside.
  [[nodiscard]] static Result<LedgerFile> open(const std::filesystem::path& path, const LedgerLimits& limits,
                                               std::uint64_t unix_ns);
  LedgerFile(LedgerFile&& other) noexcept;
  LedgerFile& operator=(LedgerFile&& other) noexcept;
  ~LedgerFile();

  [[nodiscard]] Word* words() const noexcept { return reinterpret_cast<Word*>(file_.data()); }
  [[nodiscard]] std::byte* bytes() const noexcept { return file_.data(); }
  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  [[nodiscard]] Result<void> sync() const { return file_.sync(); }

 private:
  LedgerFile(base::MappedFile file, const Layout& layout, int lock) noexcept;
  base::MappedFile file_;
  Layout layout_;
  int lock_;  // descriptor that holds the flock; the kernel lets go of it however the process ends
};

}  // namespace kantrig::ledger
