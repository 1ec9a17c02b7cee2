// UnitTester: one unit of a simulated design beside the integer KAN that it must equal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "compiler/hardware/design.hpp"
#include "kan/evaluator.hpp"
#include "kan/model.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::compiler {

/// What an output must be, for rows of codes: from kan::Evaluator, held to kan::reference_outputs() on every
/// kReferenceEvery-th row.
class UnitReference {
 public:
  static constexpr std::uint32_t kReferenceEvery = 16;
  static constexpr std::uint32_t kRowsMax = 4096;

  /// Of the whole model: the nodes of its last layer.
  [[nodiscard]] static Result<UnitReference> of_model(const kan::Model& model);
  /// Of one layer, from its inputs' codes to its outputs' codes, or to the scores for the last layer.
  [[nodiscard]] static Result<UnitReference> of_layer(const kan::Model& model, std::size_t layer);

  /// Row by row. Fails when the two evaluators disagree: then nothing can be said of the design.
  [[nodiscard]] Result<void> evaluate(std::span<const std::uint16_t> codes, std::uint32_t rows,
                                      std::span<std::int32_t> outputs);
  /// Scores are signed, codes are not.
  [[nodiscard]] bool gives_scores() const { return gives_scores_; }
  /// A model with an output stage has a score beside the nodes.
  [[nodiscard]] bool has_output_stage() const { return whole_.has_value(); }
  struct Scores {
    std::span<const std::int16_t> expected;
    std::span<const std::int16_t> of_nodes;
  };
  /// What the scores must be, and what the output stage makes of `nodes`, which were found elsewhere.
  /// Readable until the next call. Fails as evaluate() does. Precondition: has_output_stage().
  [[nodiscard]] Result<Scores> score(std::span<const std::uint16_t> codes, std::uint32_t rows,
                                     kan::NodeColumns nodes);

 private:
  /// At most kOutputsMax nodes: an evaluator has no more outputs.
  struct Slice {
    kan::Evaluator evaluator;
    kan::Workspace space;
    std::uint32_t first_output;
  };
  [[nodiscard]] Result<void> add(const kan::Model& model, std::uint32_t first_output);
  [[nodiscard]] Result<void> add_whole(const kan::Model& model);
  /// Evaluates, and holds a sample to kan::reference_outputs().
  [[nodiscard]] static Result<void> run(Slice& slice, std::span<const std::uint16_t> codes,
                                        std::uint32_t rows);
  std::vector<Slice> slices_;
  std::optional<Slice> whole_;  // with its output stage
  std::vector<std::int16_t> scores_;
  bool gives_scores_ = true;
  std::vector<std::int32_t> subtract_;  // from each output: a code counts from the node's lowest value
};

/// A value of the simulation that is not what it must be.
struct Mismatch {
  std::uint64_t number = 0;  // of the row in its stage
  std::uint32_t output = 0;  // behind the last: the score of an output stage
  std::int32_t got = 0;
  std::int32_t expected = 0;
};

class UnitTester {
 public:
  /// Fills row `number` of a stage.
  using Fill = std::function<void(std::uint64_t number, std::span<std::uint16_t> row)>;
  /// Told of every mismatch, with the row that caused it.
  using Report = std::function<void(const Mismatch& mismatch, std::span<const std::uint16_t> row)>;

  UnitTester(kan::RtlInstance instance, UnitReference reference)
      : instance_(std::move(instance)), reference_(std::move(reference)) {}

  /// Streams `rows` rows through the unit and compares every output of each. The error is not a mismatch, but
  /// what kept it from comparing.
  [[nodiscard]] Result<void> run(std::uint64_t rows, const Fill& fill, const Report& report);

  /// Outputs, and the score of an output stage.
  [[nodiscard]] std::uint32_t values_per_row() const {
    return instance_.unit().output_count + (reference_.has_output_stage() ? 1 : 0);
  }
  [[nodiscard]] std::uint64_t rows_compared() const { return rows_compared_; }
  [[nodiscard]] double simulation_seconds() const { return simulation_seconds_; }

 private:
  [[nodiscard]] Result<void> run_batch(std::uint64_t first, std::uint32_t rows, const Report& report);
  [[nodiscard]] Result<void> compare_scores(std::uint64_t first, std::uint32_t rows, const Report& report);
  kan::RtlInstance instance_;
  UnitReference reference_;
  std::vector<std::uint16_t> codes_;
  std::vector<std::uint32_t> packed_;
  std::vector<std::uint32_t> results_;
  std::vector<std::int32_t> expected_;
  std::vector<std::int16_t> nodes_;  // of a model with an output stage: column by column
  std::uint64_t rows_compared_ = 0;
  double simulation_seconds_ = 0.0;
};

}  // namespace kantrig::compiler
