// OverlayShape: what an overlay has room for. Every model within it is served by the same hardware, its
// tables written while events flow. Address map and arithmetic: firmware/rtl/overlay/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "kan/model.hpp"

namespace kantrig::compiler {

// What the address map has room for.
inline constexpr std::uint32_t kOverlayLayersMax = 8;
inline constexpr std::uint32_t kOverlaySizeMax = 1024;  // inputs, or nodes of a layer
inline constexpr std::uint32_t kOverlayCodeBitsMax = 8;
inline constexpr std::uint32_t kOverlayEntryBitsMin = 2;
inline constexpr std::uint32_t kOverlayEntryBitsMax = 16;
inline constexpr std::uint32_t kOverlaySumBitsMax = 32;
inline constexpr std::uint32_t kOverlayOutputBitsMax = 16;
inline constexpr std::uint64_t kOverlayTableWordsMax = 1U << 20U;  // of a bank; more LUTRAM has no device
inline constexpr std::uint64_t kOverlayBlockWordsMax = 1U << 22U;  // of a bank; 16 MiB to stream

/// Widths of the fields of a word's address, from the top: bank (1), layer, node or table (1), index, group,
/// place.
struct OverlayAddress {
  std::uint32_t layer_bits = 1;
  std::uint32_t index_bits = 1;
  std::uint32_t group_bits = 1;
  std::uint32_t place_bits = 2;

  [[nodiscard]] std::uint32_t width() const { return layer_bits + index_bits + group_bits + place_bits + 2; }
};

struct OverlayShape {
  std::vector<std::uint32_t> sizes;  // inputs, then the nodes of each layer
  // By layer:
  std::vector<std::uint32_t> code_bits;   // of its inputs
  std::vector<std::uint32_t> entry_bits;  // of its tables: highest less lowest entry, signed
  std::vector<std::uint32_t> sum_bits;    // of its sums before the shift, signed
  std::vector<std::uint32_t> shift_max;   // 0: it has no shifters
  std::uint32_t output_bits = 0;          // of a score, signed

  [[nodiscard]] std::size_t layer_count() const { return code_bits.size(); }
  /// Bits of what the nodes of layer `l` give: codes, or scores in the last one.
  [[nodiscard]] std::uint32_t out_bits(std::size_t l) const {
    return l + 1 < code_bits.size() ? code_bits[l + 1] : output_bits;
  }
  /// How many tables of one input share a word of layer `l`, and how many such groups a row of them has.
  [[nodiscard]] std::uint32_t tables_per_word(std::size_t l) const { return 32 / entry_bits[l]; }
  [[nodiscard]] std::uint32_t groups(std::size_t l) const {
    return (sizes[l + 1] + tables_per_word(l) - 1) / tables_per_word(l);
  }
  [[nodiscard]] std::uint64_t table_words() const;  // of a bank, without the nodes' figures
  [[nodiscard]] OverlayAddress address() const;
  [[nodiscard]] std::uint64_t block_words() const;  // of a bank: all addresses of it, in use or not
  [[nodiscard]] std::uint32_t layer_cycles(std::size_t l) const;
  [[nodiscard]] std::uint32_t cycles() const;  // of kan_datapath

  friend bool operator==(const OverlayShape&, const OverlayShape&) = default;
};

/// What of a shape is asked for. Empty: as the model needs it. A list of one value holds for every layer.
struct OverlayOptions {
  std::string sizes{};  // as "16-10-5"
  std::vector<std::uint32_t> code_bits{};
  std::vector<std::uint32_t> entry_bits{};
  std::vector<std::uint32_t> sum_bits{};
  std::vector<std::uint32_t> shift_max{};
  std::uint32_t output_bits = 0;  // 0: as the model needs it
  std::string device = "xcup";    // or "generic": plain SystemVerilog, for simulation and other families
};

/// Whether hardware of this shape can be: every list has its length, every figure is within the bounds above.
[[nodiscard]] Result<void> check(const OverlayShape& shape);

/// The shape that `options` ask for, the rest as small as `model` allows. The error names the option and the
/// figure that was exceeded. Does not ask whether `model` fits: fits(). Precondition: kan::check(model).
[[nodiscard]] Result<OverlayShape> overlay_shape(const kan::Model& model, const OverlayOptions& options);

/// Whether the overlay has room for `model`. The error names layer and node, the figure that was exceeded and
/// the option to change. Precondition: kan::check(model).
[[nodiscard]] Result<void> fits(const kan::Model& model, const OverlayShape& shape);

/// "16-10-5" with the separator '-'.
[[nodiscard]] std::string joined(std::span<const std::uint32_t> figures, char separator);

/// "16-10-5, codes of 6,6 bits, ...", for a person; the same shape gives the same text.
[[nodiscard]] std::string describe(const OverlayShape& shape);
/// SHA-256 of describe(): the ModelDigest of the overlay's kan_design_pkg, which holds no model.
[[nodiscard]] base::Digest overlay_digest(const OverlayShape& shape);

}  // namespace kantrig::compiler
