// HardwareDesign: what rtl/design.json says of a compiled design, for everyone who simulates, synthesises,
// packages or loads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/overlay_shape.hpp"

namespace kantrig::compiler {

/// How the tables are realised: burnt in as logic, or in double-buffered memory that is written while events
/// flow.
enum class HardwareTarget : std::uint8_t { kFixed, kOverlay };

[[nodiscard]] std::string_view target_name(HardwareTarget target) noexcept;  // "fixed", "overlay"

/// One field of a packed vector: bits [offset, offset + width).
struct HardwareField {
  std::string name;          // of the feature, hidden node or class
  std::uint32_t offset = 0;  // lowest bit
  std::uint32_t width = 0;   // bits
  std::uint32_t codes =
      0;  // inputs of a layer: codes 0 .. codes - 1 may occur. 0 for scores, which are signed.
  /// The codes that can really occur, as [first, last] ranges, ascending. Empty: all of them. What a design
  /// answers to any other code is not defined.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> reachable;
};

/// One generated module kan_layer<l>: clk_i, codes_i, codes_o; codes_i at clock t gives codes_o at clock t +
/// cycles. The last layer's codes_o are the scores, two's complement.
struct HardwareLayer {
  std::string module;
  std::uint32_t cycles = 0;
  std::uint32_t input_width = 0;
  std::uint32_t output_width = 0;
  std::vector<HardwareField> inputs;
  std::vector<HardwareField> outputs;
};

/// One figure of the compiler's own count of cells, by pass: what each choice bought.
struct PassFigure {
  std::string pass;
  std::uint32_t luts = 0;
  std::uint32_t registers = 0;
};

struct HardwareDesign {
  std::string bundle;  // full name of the bundle it was compiled from
  HardwareTarget target = HardwareTarget::kFixed;
  std::string device;              // family: "xcup", "ice40" or "generic"
  std::string model_digest;        // hex SHA-256 of the bundle's model.pb
  std::uint32_t cycles = 0;        // latency of kan_datapath
  std::uint32_t input_width = 0;   // bits of kan_datapath's codes_i
  std::uint32_t output_width = 0;  // bits of scores_o
  std::vector<HardwareField> inputs;
  std::vector<HardwareField> outputs;
  std::vector<HardwareLayer> layers;  // empty for an overlay
  std::vector<std::string> files;     // SystemVerilog sources in compile order, relative to rtl/
  std::vector<PassFigure> passes;
  std::optional<OverlayShape> overlay;  // of an overlay: what it has room for
};

/// The same design gives the same bytes, which end in a line feed.
[[nodiscard]] std::string design_to_json(const HardwareDesign& design);
/// The error names the field and what was expected.
[[nodiscard]] Result<HardwareDesign> design_from_json(std::string_view json);

}  // namespace kantrig::compiler
