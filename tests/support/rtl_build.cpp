#include "support/rtl_build.hpp"

#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_builder.hpp"
#include "compiler/verify/tools.hpp"

namespace kantrig::test {

bool can_simulate() {
  return compiler::find_tool("verilator", "verilator") && compiler::find_tool("g++", "g++");
}

std::filesystem::path rtl_cache() {
  return std::filesystem::path(KANTRIG_BINARY_DIR) / "rtl-cache";
}

Result<std::filesystem::path> build_library(const kan::Bundle& bundle) {
  const auto design = compiler::read_design(bundle);
  if (!design) return tl::unexpected(design.error());
  return compiler::build_rtl_library(bundle, *design, {.cache = rtl_cache(), .keep = {}, .progress = {}});
}

}  // namespace kantrig::test
