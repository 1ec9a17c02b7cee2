// The hand-written SystemVerilog of firmware/rtl, embedded when the compiler is built.
#pragma once

#include <string_view>

namespace kantrig::compiler {

/// Text of the file of this path below firmware/rtl. Precondition: compiler/CMakeLists.txt lists it.
[[nodiscard]] std::string_view rtl_source(std::string_view path);

}  // namespace kantrig::compiler
