// CompiledDesign: a design and the text of its files.
#pragma once

#include <map>
#include <string>

#include "compiler/hardware/design.hpp"

namespace kantrig::compiler {

struct CompiledDesign {
  HardwareDesign design;
  std::map<std::string, std::string> files;  // by name below rtl/
};

}  // namespace kantrig::compiler
