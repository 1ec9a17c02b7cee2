#include "compiler/verify/rtl_builder.hpp"

#include <string>
#include <utility>
#include <vector>

#include "compiler/verify/rtl_sources.hpp"

namespace kantrig::compiler {
namespace {

/// A unit's class simulates the whole, or a layer whose codes are then free.
VerilatedTop top_of(const HardwareDesign& design, std::uint32_t unit) {
  VerilatedTop top{.module = unit_top(unit), .sources = design.files, .words = {}};
  top.sources.push_back(fmt::format("../tops/{}.sv", unit_top(unit)));
  return top;
}

}  // namespace

Result<std::filesystem::path> build_rtl_library(const kan::Bundle& bundle, const HardwareDesign& design,
                                                const RtlBuildOptions& options) {
  auto files = harness_files({"harness.cpp", "kan/rtl_abi.h"});
  if (!files) return tl::unexpected(files.error());
  LibraryRecipe recipe{.files = std::move(*files),
                       .tops = {},
                       .harness = "harness/harness.cpp",
                       .header = "harness/units.hpp",
                       .level = "-O1"};
  recipe.files.insert(bundle.rtl_files.begin(), bundle.rtl_files.end());
  std::vector<TableWord> words;
  if (design.overlay) {
    auto load = overlay_table_words(bundle.model, *design.overlay, TableBank::kZero);
    if (!load) return tl::unexpected(load.error());
    words = std::move(*load);
  }
  recipe.files[recipe.header] = units_header_text(design, words);
  for (std::uint32_t u = 0; u < unit_count(design); ++u) {
    recipe.files[fmt::format("tops/{}.sv", unit_top(u))] = unit_top_text(design, u);
    recipe.tops.push_back(top_of(design, u));
  }
  return build_library(recipe, options);
}

}  // namespace kantrig::compiler
