// CompiledDesign: a design and the text of its files.
#pragma once

#include <map>
#include <string>

#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

struct CompiledDesign {
  HardwareDesign design;
  std::map<std::string, std::string> files;  // by name below rtl/
};

/// Gives `bundle` the design's files and the shells around it, in place of an older design's and of what was
/// made from that for a card.
void put_design(kan::Bundle& bundle, const CompiledDesign& compiled);

}  // namespace kantrig::compiler
