// Proof by Yosys that the logic of each edge is the table of that edge, on Yosys's own models of the vendor's
// primitives: another tool, another simulator of the cells, no vector by vector run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

struct ProveOptions {
  std::filesystem::path folder;                    // an existing one to work in; its files stay
  std::uint64_t seed = 1;                          // of the settings of the other inputs
  std::uint32_t node_seconds_max = 120;            // beyond, a node counts as not proved
  std::function<void(std::string_view)> progress;  // told of every node; may be empty
};

/// One node: every code of every edge that may occur, each in kProofSettings settings of the other inputs.
struct NodeProof {
  enum class Outcome : std::uint8_t { kProved, kRefuted, kGivenUp };
  std::uint32_t layer = 0;
  std::uint32_t node = 0;
  std::string name;
  std::uint64_t entries = 0;  // of its tables
  Outcome outcome = Outcome::kGivenUp;
  std::string refutation;  // edge, code and setting that Yosys found
};
inline constexpr std::uint32_t kProofSettings = 4;

struct ProveReport {
  std::vector<NodeProof> nodes;  // those with edges
  [[nodiscard]] std::uint64_t count(NodeProof::Outcome outcome) const;
};

/// Registers are taken out, so that a layer is one function of its inputs; for each node Yosys decides
/// whether any code, edge and setting gives another output than the table does. What is not proved is in the
/// report.
[[nodiscard]] Result<ProveReport> prove_design(const kan::Bundle& bundle, const HardwareDesign& design,
                                               const ProveOptions& options);

}  // namespace kantrig::compiler
