// Program: a model laid out for one kernel set. Described by plain data, so that nothing here knows what a
// bundle is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/aligned_bytes.hpp"
#include "kernels/kernels.hpp"
#include "kernels/lut_layer.hpp"

namespace kantrig::kernels {

struct InputSpec {
  std::uint32_t bits = 0;
  float scale = 1.0F;
  float offset = 0.0F;
};

/// code = clamp((bias + sum of tables + half) >> shift, low, high) - low
struct NodeSpec {
  std::int32_t bias = 0;
  std::uint32_t shift = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::uint32_t edge_begin = 0;
  std::uint32_t edge_end = 0;
};

struct EdgeSpec {
  std::uint32_t input = 0;
  std::span<const std::int16_t> table;
};

struct LayerSpec {
  std::vector<NodeSpec> nodes;
  std::vector<EdgeSpec> edges;
};

/// What one node of the last layer is compared with: a value for each code of an input.
struct TargetSpec {
  std::uint32_t input = 0;
  std::span<const std::int16_t> table;
};

/// The one output is min((sum over the nodes of |node - target| or its square + half) >> shift, 32767); the
/// class is 1 when it is above class_above.
struct DistanceSpec {
  bool squared = false;
  std::uint32_t shift = 0;
  std::int32_t class_above = 0;     // 0..32767
  std::vector<TargetSpec> targets;  // one a node; empty: the outputs are the nodes
};

/// Precondition: codes stay inside their tables, and no sum leaves int32.
struct ProgramSpec {
  std::vector<InputSpec> inputs;
  std::vector<LayerSpec> layers;
  DistanceSpec distance;
};

struct ProgramStorage;

/// Everything that the hot loops read, owned. Immutable, shared by threads.
class Program {
 public:
  Program(const ProgramSpec& spec, TableForm form);
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  [[nodiscard]] const LutProgram& lut() const noexcept;
  [[nodiscard]] const LutInputStage& input_stage() const noexcept;

 private:
  std::unique_ptr<ProgramStorage> storage_;
};

}  // namespace kantrig::kernels
