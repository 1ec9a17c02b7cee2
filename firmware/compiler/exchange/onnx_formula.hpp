// Closed formulas of edges in standard ONNX operators.
#pragma once

#include <string>

#include "compiler/exchange/onnx_graph.hpp"
#include "compiler/learned/formula.hpp"

namespace kantrig::exchange {

/// The formula at the values of tensor `x`, in float32; poles give large finite values, as
/// learned::value_of().
std::string add_formula(OnnxGraph& graph, const learned::Formula& formula, const std::string& x);

}  // namespace kantrig::exchange
