// SplineKan: the model while it is learned: quantised layers one after the other, and the loss over them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/train/layer.hpp"
#include "compiler/train/specification.hpp"
#include "kan/model.hpp"

namespace kantrig::train {

/// Events as codes, row by row, with their classes.
struct CodedEvents {
  std::uint32_t inputs = 0;
  std::vector<std::uint16_t> codes;   // events x inputs
  std::vector<std::uint8_t> classes;  // events

  [[nodiscard]] std::size_t count() const noexcept { return classes.size(); }
  [[nodiscard]] std::span<const std::uint16_t> row(std::size_t event) const noexcept {
    return std::span(codes).subspan(event * inputs, inputs);
  }
};

struct Score {
  double loss = 0.0;  // mean cross-entropy, nats
  double accuracy = 0.0;
};

/// Copyable: a copy is a snapshot.
///
/// Threading: owned by one thread.
class SplineKan {
 public:
  SplineKan(const Specification& specification, Random& random);

  /// Builds all tables from the parameters. Everything below speaks of the tables built last.
  void rebuild();

  /// Mean loss over the events named by `batch`, with its gradients left in every layer. Needs a rebuild()
  /// before.
  [[nodiscard]] double learn(const CodedEvents& events, std::span<const std::uint32_t> batch);

  /// Integer outputs of one event; the span lives until the next call.
  [[nodiscard]] std::span<const std::int32_t> outputs(std::span<const std::uint16_t> codes);

  /// Loss and accuracy over the events named by `which`.
  [[nodiscard]] Score score(const CodedEvents& events, std::span<const std::uint32_t> which);

  /// Takes out edges whose entries vary less than `threshold_codes` (r.m.s. over `which`), then nodes that
  /// nothing reads.
  void prune(const CodedEvents& events, std::span<const std::uint32_t> which, double threshold_codes);

  [[nodiscard]] std::span<SplineLayer> layers() noexcept { return layers_; }
  [[nodiscard]] std::span<const SplineLayer> layers() const noexcept { return layers_; }
  [[nodiscard]] std::uint32_t active_edges() const noexcept;

  /// Real values of the codes that enter layer `index`, as its edges see them.
  [[nodiscard]] std::vector<double> points(std::size_t index) const;

 private:
  /// What one event leaves in a layer on its way forward.
  struct Trace {
    std::vector<std::uint16_t> codes;
    std::vector<float> sums;
    std::vector<float> by_outputs;  // loss gradient by the real outputs
  };
  void run_forward(std::span<const std::uint16_t> codes);
  void run_backward();
  double loss_of(std::uint32_t label, double weight);

  SplineGrid grid_;
  std::vector<SplineLayer> layers_;
  std::vector<Trace> traces_;
  std::vector<std::int32_t> outputs_;
  std::vector<double> exponentials_;
};

}  // namespace kantrig::train
