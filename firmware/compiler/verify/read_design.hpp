// The compiled design that a bundle holds, proved to be of the bundle's model.
#pragma once

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// rtl/design.json of `bundle`, compared with its model: the same digest, the same layers, fields that fit,
/// every listed file there; for an overlay the
/// model fits its shape. The error names what disagrees and what was expected.
[[nodiscard]] Result<HardwareDesign> read_design(const kan::Bundle& bundle);

}  // namespace kantrig::compiler
