// Bitstream: a compiled design on an iCE40 UP5K by open tools alone: Yosys, nextpnr, icetime, icepack.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::synth {

inline constexpr std::uint32_t kUp5kCells =
    5'280;  // logic cells: one LUT4, one register, one carry position each

struct BitstreamOptions {
  std::filesystem::path out;   // folder: kan_board_up5k.bin, .asc, timing.txt, netlist, logs and sources
  std::filesystem::path pins;  // .pcf with clk_i, rx_i, tx_o, led_no; empty: those of the iCEBreaker
  std::uint32_t seed = 1;      // of the placer
};

struct Bitstream {
  std::uint32_t luts = 0;  // LUT4 of the netlist, serial line included
  std::uint32_t ffs = 0;
  std::uint32_t cells = 0;  // logic cells that are used, of kUp5kCells
  double fmax_nextpnr_mhz = 0.0;
  double fmax_icetime_mhz = 0.0;
  std::uint64_t bytes = 0;  // of the bitstream
  std::string file;         // its name in `out`
};

/// Fails with the figure when the design does not fit, and when it is for another family.
[[nodiscard]] Result<Bitstream> make_bitstream(const kan::Bundle& bundle,
                                               const compiler::HardwareDesign& design,
                                               const BitstreamOptions& options);

[[nodiscard]] std::string bitstream_to_json(const Bitstream& bitstream,
                                            const compiler::HardwareDesign& design);

}  // namespace kantrig::synth
