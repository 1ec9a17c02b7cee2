// Synthesis by Yosys: Verilog in, netlists of device cells out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "synth/netlist.hpp"
#include "synth/tool.hpp"

namespace kantrig::synth {

enum class Family : std::uint8_t { kUltraScalePlus, kIce40 };

[[nodiscard]] std::string_view family_name(Family family) noexcept;  // "xcup", "ice40"
[[nodiscard]] Result<Family> family_from_name(std::string_view name);

/// One module to synthesise, with all it instantiates.
struct SynthesisJob {
  std::string name;                // of its files in the work folder
  std::string top;                 // module
  std::vector<std::string> files;  // in the order to read, paths in the work folder
  Family family = Family::kUltraScalePlus;
};

/// Runs Yosys on one job in `folder`, which must hold its files; <name>.ys, <name>.log and <name>.json stay
/// there. The netlist is flat and out of context: without pads and clock buffers. Each job is a process of
/// its own: Yosys numbers what it makes, and its results depend on these numbers, so that a second job would.
[[nodiscard]] Result<Netlist> synthesise(const SynthesisJob& job, const WorkFolder& folder);

/// "Yosys 0.23 (git sha1 7ce5011c24b)", from the log of `job`.
[[nodiscard]] std::string yosys_version(const SynthesisJob& job, const WorkFolder& folder);

}  // namespace kantrig::synth
