// The hand-written SystemVerilog of firmware/rtl, embedded when the compiler is built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kantrig::compiler {

/// Text of the file of this path below firmware/rtl. Precondition: compiler/CMakeLists.txt lists it.
[[nodiscard]] std::string_view rtl_source(std::string_view path);

/// Paths of the shells around a compiled design, kan_core and what they are made of, in compile order.
[[nodiscard]] std::vector<std::string> shell_sources();

}  // namespace kantrig::compiler
