// NodeBuilder: chooses how the tables of one node are made and how they are added, and builds it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "compiler/hardware/netlist.hpp"
#include "compiler/hardware/realise.hpp"
#include "compiler/hardware/requantise.hpp"
#include "compiler/hardware/sum_ir.hpp"

namespace kantrig::compiler {

/// Input words of a layer's netlist are called this and the input's name, which may be a word of
/// SystemVerilog.
inline constexpr std::string_view kInputPrefix = "in_";

/// When things happen in a layer.
struct LayerStages {
  std::uint32_t lookup = 0;        // stage of the table LUTs
  std::uint32_t add_stages = 1;    // register stages of adders after it
  std::uint32_t input_levels = 0;  // LUTs before the codes in the stage of the table LUTs
  bool compare_stage = false;      // a stage of its own for comparisons with limits that are no power of 2
  /// The stage after the last adders', where the requantiser begins.
  [[nodiscard]] std::uint32_t requantise() const { return lookup + add_stages + 1; }
  [[nodiscard]] std::uint32_t output() const { return requantise() + (compare_stage ? 1 : 0); }
};

/// What the search weighs and may use.
struct BuildGoal {
  bool latency = false;             // fewest stages; else the published number of them and the least area
  std::uint32_t levels_max = 2;     // of LUTs in a stage
  bool split_tables = true;         // realise.hpp
  bool fold_tables = true;          // look-ups inside adders
  double register_weight = 1.2;     // of one register, in LUTs: registers tend to run out first
  std::uint32_t trials_max = 3000;  // plans tried for a node
};

/// One node's choices: a realisation for each term, how many tables go into adders, who takes the constant.
struct NodePlan {
  std::vector<std::size_t> choices;
  std::uint32_t folds = 0;
  std::optional<std::size_t> constant_term = std::nullopt;  // whose table takes what is left of the constant
};

class NodeBuilder {
 public:
  /// `inputs` are the layer's code nets. They have the same numbers in every netlist given to build().
  NodeBuilder(const SumNode& node, const std::vector<std::vector<Net>>& inputs, LayerStages stages,
              BuildGoal goal);

  /// The cheapest plan found by coordinate descent from several starts; the same every time.
  [[nodiscard]] NodePlan search() const;

  /// Adds the node's cells; returns its code's nets, or its score's.
  [[nodiscard]] std::vector<Net> build(Netlist& netlist, const NodePlan& plan,
                                       const std::string& prefix) const;

  /// Whether the plan ends in one sum within the stages.
  [[nodiscard]] bool fits(const NodePlan& plan) const;

 private:
  struct Trial;
  struct Chosen;
  struct Search {
    NodePlan best;
    double cost = 0.0;
    std::uint32_t trials = 0;  // that may still be made
  };
  [[nodiscard]] Trial try_plan(const NodePlan& plan) const;
  void descend(Search& search) const;
  [[nodiscard]] RequantiseStages requantise_stages(const Netlist& netlist, const Chosen& chosen,
                                                   const SumWord& sum) const;
  [[nodiscard]] Chosen choose(const NodePlan& plan) const;
  [[nodiscard]] const Realisation& realised(std::size_t term, std::size_t choice, std::int32_t added) const;
  [[nodiscard]] std::vector<Net> term_nets(const Lookup& term) const;

  const SumNode& node_;
  const std::vector<std::vector<Net>>& inputs_;
  LayerStages stages_;
  BuildGoal goal_;
  std::uint64_t terms_max_ = 0;
  std::vector<std::vector<Realisation>> candidates_;  // of every term
  mutable std::map<std::tuple<std::size_t, std::size_t, std::int32_t>, Realisation>
      realised_;  // with constants
};

}  // namespace kantrig::compiler
