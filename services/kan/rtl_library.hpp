// RtlLibrary: a simulated design, as a shared object that kanc built (rtl_abi.h). Opened at run time, so that
// nobody who uses it links a simulator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "kan/rtl_abi.h"

namespace kantrig::kan {

/// Words of a row of `width` bits.
[[nodiscard]] constexpr std::uint32_t row_words(std::uint32_t width) noexcept {
  return (width + 31) / 32;
}

/// Writes `value` into its field of a row. Precondition: those bits are 0, and the value fits.
inline void put_field(std::uint32_t* row, kantrig_rtl_field field, std::uint32_t value) noexcept {
  const std::uint64_t bits = std::uint64_t{value} << (field.offset % 32);
  row[field.offset / 32] |= static_cast<std::uint32_t>(bits);
  if (field.offset % 32 + field.width > 32)
    row[field.offset / 32 + 1] |= static_cast<std::uint32_t>(bits >> 32U);
}

/// The unsigned value of a field.
[[nodiscard]] inline std::uint32_t get_field(const std::uint32_t* row, kantrig_rtl_field field) noexcept {
  std::uint64_t bits = row[field.offset / 32];
  if (field.offset % 32 + field.width > 32) bits |= std::uint64_t{row[field.offset / 32 + 1]} << 32U;
  return static_cast<std::uint32_t>((bits >> (field.offset % 32)) & ((std::uint64_t{1} << field.width) - 1));
}

/// The value of a field in two's complement.
[[nodiscard]] inline std::int32_t get_signed_field(const std::uint32_t* row,
                                                   kantrig_rtl_field field) noexcept {
  const std::uint32_t unused = 32 - field.width;
  return static_cast<std::int32_t>(get_field(row, field) << unused) >> unused;
}

class RtlLibrary;

/// One unit of a design in simulation.
///
/// Threading:  owned by one thread at a time.
/// Allocation: in RtlLibrary::create() only.
class RtlInstance {
 public:
  RtlInstance(RtlInstance&& other) noexcept;
  RtlInstance& operator=(RtlInstance&& other) noexcept;
  ~RtlInstance();

  /// Streams packed rows through the unit, one a clock. False once an assertion of the design has failed.
  /// Precondition: the spans hold `events` rows.
  [[nodiscard]] bool run(std::span<const std::uint32_t> inputs, std::span<std::uint32_t> outputs,
                         std::uint32_t events) noexcept;
  /// Writes one word of an overlay's tables, which every later event sees. False as for run().
  /// Precondition: the library has banks.
  [[nodiscard]] bool write_table(std::uint32_t address, std::uint32_t data) noexcept;
  /// The bank of the events of later runs, 0 at first. Precondition: bank < bank_count() of the library.
  void use_bank(std::uint32_t bank) noexcept;
  [[nodiscard]] const kantrig_rtl_unit& unit() const noexcept { return *unit_; }

 private:
  friend class RtlLibrary;
  RtlInstance(std::shared_ptr<const RtlLibrary> library, const kantrig_rtl_unit& unit,
              kantrig_rtl_instance* instance) noexcept;
  std::shared_ptr<const RtlLibrary> library_;  // whose code it runs
  const kantrig_rtl_unit* unit_;
  kantrig_rtl_instance* instance_;
};

/// Immutable: shared by threads. Stays in memory as long as it or one of its instances lives.
class RtlLibrary : public std::enable_shared_from_this<RtlLibrary> {
 public:
  /// Opens a shared object and checks what it says of itself. Opening runs its code: the path must come from
  /// whoever configures this program. The error names the file and what was expected.
  [[nodiscard]] static Result<std::shared_ptr<const RtlLibrary>> open(const std::filesystem::path& file);
  ~RtlLibrary();
  RtlLibrary(const RtlLibrary&) = delete;
  RtlLibrary& operator=(const RtlLibrary&) = delete;

  [[nodiscard]] std::string_view bundle() const noexcept { return description_->bundle; }
  [[nodiscard]] std::string_view model_digest() const noexcept { return description_->model_digest; }
  /// Unit 0 is kan_datapath, unit 1 + l is kan_layer<l>.
  [[nodiscard]] std::span<const kantrig_rtl_unit> units() const noexcept {
    return {description_->units, description_->unit_count};
  }
  /// 2 for an overlay, whose tables can be written; 0 for a design with tables of its own.
  [[nodiscard]] std::uint32_t bank_count() const noexcept { return description_->bank_count; }
  /// An overlay comes with its model in bank 0. Precondition: unit < units().size(). Fails when there is no
  /// memory, or the design stops while its tables are written.
  [[nodiscard]] Result<RtlInstance> create(std::uint32_t unit) const;

 private:
  friend class RtlInstance;
  explicit RtlLibrary(void* handle) noexcept : handle_(handle) {}
  [[nodiscard]] Result<void> look_up(const std::filesystem::path& file);

  void* handle_;
  const kantrig_rtl_description* description_ = nullptr;
  kantrig_rtl_create_fn* create_ = nullptr;
  kantrig_rtl_destroy_fn* destroy_ = nullptr;
  kantrig_rtl_run_fn* run_ = nullptr;
  kantrig_rtl_write_table_fn* write_table_ = nullptr;
  kantrig_rtl_use_bank_fn* use_bank_ = nullptr;
};

}  // namespace kantrig::kan
