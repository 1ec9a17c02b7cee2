// Kernel sets: one build of the hot loops for each instruction set, listed best first, chosen at run time.
#pragma once

#include <span>
#include <string_view>

#include "kernels/lut_layer.hpp"

namespace kantrig::kernels {

/// How a set wants its tables.
enum class TableForm : std::uint8_t {
  kWords,       // 16-bit entries, one after the other
  kByteChunks,  // bytes in chunks of 16, for pshufb
  kBytes,       // bytes in 64, 128 or 256 entries, for vpermb and vpermi2b
};

/// One instruction-set build of the hot loops. Every set gives the same bits for the same input.
struct KernelSet {
  std::string_view name;         // "scalar", "avx2", "avx512"
  bool (*supported)() noexcept;  // may this CPU run it? Defined in dispatch.cpp only.
  TableForm form;
  EvalTilesFn* eval_tiles;
  ScoreTilesFn* score_tiles;
  LoadRowsFn* load_float32;
  LoadRowsFn* load_code8;
  LoadRowsFn* load_code16;
};

/// Every set of this build, best first. Some may be unsupported here.
[[nodiscard]] std::span<const KernelSet> sets() noexcept;

/// The set called `name`, or for "auto" the best this CPU runs. nullptr when it is unknown or cannot be run
/// here.
[[nodiscard]] const KernelSet* select_set(std::string_view name) noexcept;

}  // namespace kantrig::kernels
