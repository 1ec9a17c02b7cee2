// What is written into an overlay to make it a model: a sequence of words for kan_datapath's table port. The
// address map is described in firmware/rtl/overlay/README.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/overlay_shape.hpp"
#include "kan/model.hpp"

namespace kantrig::compiler {

struct TableWord {
  std::uint32_t address = 0;
  std::uint32_t data = 0;

  friend bool operator==(const TableWord&, const TableWord&) = default;
};

/// One of the two models that an overlay holds.
enum class TableBank : std::uint8_t { kZero = 0, kOne = 1 };

/// Words that load `model` into `bank`, whatever was in it: as many for every model, all of the bank, in
/// rising order of addresses. They may be written in any order while events flow through the other bank. The
/// error is that of fits(). Precondition: kan::check(model).
[[nodiscard]] Result<std::vector<TableWord>> overlay_table_words(const kan::Model& model,
                                                                 const OverlayShape& shape, TableBank bank);

/// The same as a block of memory: the data of each address of the bank in turn, 0 where there is no word.
/// Words for the addresses in between are ignored, so it can be streamed from overlay_bank_begin().
[[nodiscard]] Result<std::vector<std::uint32_t>> overlay_table_block(const kan::Model& model,
                                                                     const OverlayShape& shape);
/// The first address of a bank.
[[nodiscard]] std::uint32_t overlay_bank_begin(const OverlayShape& shape, TableBank bank) noexcept;

}  // namespace kantrig::compiler
