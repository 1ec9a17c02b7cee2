// The target `overlay`: a design whose tables lie in double-buffered memory. It holds no model;
// overlay_tables.hpp gives what is written into it.
#pragma once

#include "base/result.hpp"
#include "compiler/hardware/compiled_design.hpp"
#include "compiler/hardware/overlay_shape.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// The overlay that `options` describe, which must have room for the bundle's model. The design names the
/// fields that this model uses, the first of those there are; all others take 0. The files are complete down
/// to the cells.
[[nodiscard]] Result<CompiledDesign> compile_overlay(const kan::Bundle& bundle,
                                                     const OverlayOptions& options);

}  // namespace kantrig::compiler
