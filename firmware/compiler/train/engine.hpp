// Engine: a KAN that can be run forward and backward, a chunk of events at a time. Two of them: FloatEngine
// (real functions) and TableEngine (quantised, in table space). README.md tells how they work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compiler/learned/learned_kan.hpp"
#include "compiler/train/parameters.hpp"

namespace kantrig::train {

/// Events per call of forward(). A batch is cut into chunks of this size wherever it runs, so that sums have
/// one order and results do not depend on the number of threads.
inline constexpr std::size_t kChunkRows = 256;

/// What is learned from, row by row: the inputs in the form that the engine takes, and what they should give.
struct Samples {
  std::uint32_t inputs = 0;
  std::uint32_t outputs = 0;
  std::vector<float> values;          // rows x inputs, real values behind the input stage; for float training
  std::vector<std::uint16_t> codes;   // rows x inputs; for quantised training
  std::vector<std::uint8_t> classes;  // rows, or empty
  std::vector<float> targets;         // rows x outputs, or empty

  [[nodiscard]] std::size_t rows() const noexcept {
    return inputs == 0 ? 0 : (values.empty() ? codes.size() : values.size()) / inputs;
  }
};

/// Threading: different slots may run at the same time; prepare() and finish() alone.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Takes in new parameters; clears the gradients of every slot.
  virtual void prepare(std::span<const double> parameters) = 0;
  /// Runs up to kChunkRows events; their real outputs, rows x width(), stay valid until the slot's next call.
  [[nodiscard]] virtual std::span<const float> forward(std::size_t slot, const Samples& samples,
                                                       std::span<const std::uint32_t> rows) = 0;
  /// Takes in the loss gradient by those outputs (rows x width(), destroyed) and adds to the slot's
  /// gradients.
  virtual void backward(std::size_t slot, std::span<float> by_outputs) = 0;
  /// Adds the gradients of slots 0 .. `slots` - 1, in this order, to `gradient`.
  virtual void finish(std::size_t slots, std::span<double> gradient) = 0;

  /// Outputs, padded to a multiple of 8.
  [[nodiscard]] virtual std::size_t width() const noexcept = 0;
};

/// The engine that fits: quantised when `kan` is, else float. `kan` gives structure (sizes, active edges,
/// code widths); its parameters come with prepare(). Fails on edges that are formulas and on splines with
/// knots of their own.
[[nodiscard]] Result<std::unique_ptr<Engine>> make_engine(const learned::LearnedKan& kan,
                                                          const ParameterMap& map, std::size_t slots);

}  // namespace kantrig::train
