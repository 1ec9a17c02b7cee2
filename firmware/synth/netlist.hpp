// Netlist: one flat module of device cells, as `yosys write_json` gives it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::synth {

/// A bit: 2 and above are nets of the module.
using Net = std::int32_t;
inline constexpr Net kUndefinedNet = -1;  // x or z
inline constexpr Net kZeroNet = 0;
inline constexpr Net kOneNet = 1;
[[nodiscard]] constexpr bool is_constant(Net net) noexcept {
  return net < 2;
}

struct Pin {
  std::string name;
  bool output = false;
  std::vector<Net> nets;  // lowest bit first
};

struct Cell {
  std::string name;
  std::string type;
  std::map<std::string, std::string> parameters;
  std::vector<Pin> pins;

  [[nodiscard]] const Pin* find(std::string_view pin) const noexcept;
};

struct Netlist {
  std::string module;
  std::vector<Pin> ports;  // a port of the module that is an output has output = true
  std::vector<Cell> cells;
  std::vector<std::vector<std::string>> names;  // by net: every public name that it has, without index
};

/// The module `module` of what yosys wrote.
[[nodiscard]] Result<Netlist> netlist_from_json(std::string_view json, const std::string& module);

}  // namespace kantrig::synth
