// How well a model does on events whose class is known.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/feature_table.hpp"
#include "base/result.hpp"
#include "kan/bundle.hpp"

namespace kantrig::compiler {

/// A class's score of every event: row by row, one per class. Softmax of the real outputs; for a model of one
/// output the real output itself, and its negative for class 0.
using Scores = std::vector<double>;

struct Quality {
  std::uint64_t events = 0;     // that were evaluated
  std::uint64_t malformed = 0;  // rows with a NaN: left out of everything else
  std::uint64_t correct = 0;
  std::vector<std::vector<std::uint64_t>> confusion;  // [true class][class of the model]
  std::vector<std::optional<double>> auc;  // of each class against the rest; none where one side is empty

  [[nodiscard]] double accuracy() const {
    return events == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(events);
  }
};

/// Area under the ROC curve of `scores` for events marked in `positive`; ties count half. None when one side
/// is empty.
[[nodiscard]] std::optional<double> roc_auc(std::span<const double> scores,
                                            const std::vector<bool>& positive);

/// Runs `table`, whose columns are the bundle's features (kan::arrange_columns), on `kernel_set`.
/// `source` stands for the file in errors.
struct QualityRequest {
  const kan::Bundle& bundle;
  const base::FeatureTable& table;
  std::span<const std::uint32_t> labels;
  std::string_view source;
  std::string_view kernel_set = "auto";
};
[[nodiscard]] Result<Quality> measure_quality(const QualityRequest& request);

/// The same from real outputs, `outputs_per_event` for each label; two classes where there is one output.
[[nodiscard]] Quality judge_outputs(std::span<const float> outputs, std::size_t outputs_per_event,
                                    std::span<const std::uint32_t> labels);

}  // namespace kantrig::compiler
