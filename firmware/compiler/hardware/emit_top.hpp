// The generated modules around the layers: kan_design_pkg and, for the target fixed, kan_datapath
// (firmware/README.md).
#pragma once

#include <string>

#include "compiler/hardware/design.hpp"

namespace kantrig::compiler {

[[nodiscard]] std::string emit_package(const HardwareDesign& design);
[[nodiscard]] std::string emit_datapath(const HardwareDesign& design);

}  // namespace kantrig::compiler
