#include "compiler/train/engine.hpp"

#include <algorithm>

#include "compiler/train/float_engine.hpp"
#include "compiler/train/table_engine.hpp"

namespace kantrig::train {

Result<std::unique_ptr<Engine>> make_engine(const learned::LearnedKan& kan, const ParameterMap& map,
                                            std::size_t slots) {
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    if (!kan.layers[l].formulas.empty())
      return fail(ErrorCode::kInvalid, "layer {}: has edges that are formulas, which are not trained", l);
    if (!kan.layers[l].knots.empty())
      return fail(
          ErrorCode::kInvalid,
          "layer {}: its splines have knots of their own; `kanc extend-grid` gives them a uniform grid", l);
  }
  const auto rounded = [](const learned::Layer& layer) { return layer.basis_bits > 0; };
  if (std::any_of(kan.layers.begin(), kan.layers.end(), rounded))
    return fail(
        ErrorCode::kInvalid,
        "basis functions of few bits are not trained with; train first, then `kanc quantize --basis-bits`");
  if (kan.quantized()) return std::make_unique<TableEngine>(kan, map, slots);
  return std::make_unique<FloatEngine>(kan, map, slots);
}

}  // namespace kantrig::train
