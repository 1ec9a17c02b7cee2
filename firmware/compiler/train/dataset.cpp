#include "compiler/train/dataset.hpp"

#include "base/assert.hpp"
#include "compiler/learned/elementary.hpp"
#include "compiler/learned/tabulate.hpp"
#include "kan/reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace kantrig::train {

using namespace learned;
namespace {

struct Range {
  double low = 0.0;
  double high = 1.0;
};

std::vector<float> sorted_column(const Dataset& data, std::size_t column,
                                 std::span<const std::uint32_t> which) {
  std::vector<float> values;
  values.reserve(which.size());
  for (const std::uint32_t row : which)
    values.push_back(data.values[std::size_t{row} * data.columns + column]);
  std::sort(values.begin(), values.end());
  return values;
}

double quantile(const std::vector<float>& sorted, double percent) {
  const double place = percent / 100.0 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(below);
  return static_cast<double>(sorted[below]) * (1.0 - share) + static_cast<double>(sorted[above]) * share;
}

Range range_by_deviations(const std::vector<float>& sorted, double deviations) {
  double sum = 0.0;
  for (const float value : sorted) sum += static_cast<double>(value);
  const double mean = sum / static_cast<double>(sorted.size());
  double squares = 0.0;
  for (const float value : sorted) {
    const double distance = static_cast<double>(value) - mean;
    squares += distance * distance;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(sorted.size()));
  return {.low = mean - deviations * deviation, .high = mean + deviations * deviation};
}

/// A feature that does not vary gets a range of 1.
Range widened(Range range) {
  if (!(range.high > range.low)) range.high = range.low + std::max(1.0, std::abs(range.low));
  return range;
}

/// The range over all codes, and over the grid.
learned::Input input_of(const Specification& specification, std::size_t index, Range range) {
  range = widened(range);
  learned::Input input;
  input.feature = specification.features[index];
  input.bits = specification.bits_of_feature(index);
  input.gain = (specification.grid.high - specification.grid.low) / (range.high - range.low);
  input.shift = specification.grid.low - range.low * input.gain;
  input.first = specification.grid.low;
  input.step = (specification.grid.high - specification.grid.low) / ((1U << input.bits) - 1);
  return input;
}

/// code = value x scale + offset with the range over all codes.
kan::InputFeature feature_of(Range range, std::uint32_t bits) {
  range = widened(range);
  const double scale = static_cast<double>((1U << bits) - 1) / (range.high - range.low);
  return {.bits = bits, .scale = static_cast<float>(scale), .offset = static_cast<float>(-range.low * scale)};
}

/// Mutual information of a feature's code and the class, in nats, over `which`.
double information(const Dataset& data, std::size_t column, std::span<const std::uint32_t> which,
                   std::size_t class_count, const kan::InputFeature& feature) {
  const std::size_t codes = std::size_t{1} << feature.bits;
  std::vector<double> joint(codes * class_count, 0.0);
  for (const std::uint32_t row : which) {
    const auto code = kan::reference_code(feature, data.values[std::size_t{row} * data.columns + column]);
    if (code) joint[*code * class_count + data.classes[row]] += 1.0;
  }
  std::vector<double> of_class(class_count, 0.0);
  for (std::size_t i = 0; i < joint.size(); ++i) of_class[i % class_count] += joint[i];
  const auto total = static_cast<double>(which.size());
  double sum = 0.0;
  for (std::size_t c = 0; c < codes; ++c) {
    double of_code = 0.0;
    for (std::size_t k = 0; k < class_count; ++k) of_code += joint[c * class_count + k];
    for (std::size_t k = 0; k < class_count; ++k) {
      const double count = joint[c * class_count + k];
      if (count > 0.0) sum += count / total * logarithm(count * total / (of_code * of_class[k]));
    }
  }
  return sum;
}

Range range_by_information(const Specification& specification, const Dataset& data, std::size_t column,
                           std::span<const std::uint32_t> which, const std::vector<float>& sorted) {
  constexpr std::array kLowPercents{0.0, 0.1, 0.5, 1.0, 2.0, 5.0};
  constexpr std::array kHighPercents{100.0, 99.9, 99.5, 99.0, 98.0, 95.0, 90.0};
  Range best;
  double most = -1.0;
  for (const double low : kLowPercents) {
    for (const double high : kHighPercents) {
      const Range range{.low = quantile(sorted, low), .high = quantile(sorted, high)};
      const kan::InputFeature feature = feature_of(range, specification.bits_of_feature(column));
      const double told = information(data, column, which, specification.classes.size(), feature);
      if (told > most) {
        most = told;
        best = range;
      }
    }
  }
  return best;
}

Result<void> check_row(const Specification& specification, const Dataset& data, std::size_t row) {
  for (std::size_t i = 0; i < data.columns; ++i) {
    const float value = data.values[row * data.columns + i];
    if (std::isfinite(value)) continue;
    return fail(ErrorCode::kInvalid,
                "{}: row {}, feature '{}' is {}, expected a finite number; repair or remove the row",
                data.name, row + 1, specification.features[i].name, std::isnan(value) ? "NaN" : "infinite");
  }
  for (std::size_t k = 0; k < specification.targets.size(); ++k) {
    if (std::isfinite(data.targets[row * specification.targets.size() + k])) continue;
    return fail(ErrorCode::kInvalid, "{}: row {}, target '{}' is not finite; repair or remove the row",
                data.name, row + 1, specification.targets[k]);
  }
  if (specification.task != Task::kClasses || data.classes[row] < specification.classes.size()) return {};
  return fail(ErrorCode::kInvalid,
              "{}: row {} has class {}, expected 0 to {} (the specification names {} classes)", data.name,
              row + 1, data.classes[row], specification.classes.size() - 1, specification.classes.size());
}

}  // namespace

Result<void> check_dataset(const Specification& specification, const Dataset& data) {
  if (data.columns != specification.features.size()) {
    return fail(ErrorCode::kInvalid,
                "{}: has {} columns, expected {}, one for each feature of the specification", data.name,
                data.columns, specification.features.size());
  }
  const std::size_t answers =
      specification.task == Task::kClasses ? data.classes.size() : data.targets.size();
  const std::size_t a_row = specification.task == Task::kClasses ? 1 : specification.targets.size();
  if (answers != data.rows() * a_row) {
    return fail(ErrorCode::kInvalid, "{}: has {} classes or targets for {} rows", data.name, answers,
                data.rows());
  }
  const std::uint64_t wanted = specification.training.rows;
  if (data.rows() < wanted) {
    return fail(ErrorCode::kInvalid, "{}: has {} rows, but training.rows asks for {}", data.name, data.rows(),
                wanted);
  }
  constexpr std::size_t kRowsMin = 10;
  if (data.rows() < kRowsMin) {
    return fail(ErrorCode::kInvalid, "{}: has {} rows, expected at least {}", data.name, data.rows(),
                kRowsMin);
  }
  std::vector<bool> present(specification.classes.size(), false);
  for (std::size_t row = 0; row < data.rows(); ++row) {
    if (auto ok = check_row(specification, data, row); !ok) return ok;
    if (specification.task == Task::kClasses) present[data.classes[row]] = true;
  }
  if (specification.task != Task::kClasses) return {};
  for (std::size_t k = 0; k < present.size(); ++k) {
    if (present[k]) continue;
    return fail(ErrorCode::kInvalid, "{}: no row has class {} ('{}'), expected every class to occur",
                data.name, k, specification.classes[k]);
  }
  return {};
}

std::vector<learned::Input> fit_inputs(const Specification& specification, const Dataset& data,
                                       std::span<const std::uint32_t> which) {
  KANTRIG_ASSERT(!which.empty());
  std::vector<learned::Input> inputs;
  const InputRange& rule = specification.input;
  for (std::size_t i = 0; i < data.columns; ++i) {
    const std::vector<float> sorted = sorted_column(data, i, which);
    Range range;
    switch (rule.rule) {
      case RangeRule::kPercentile:
        range = {.low = quantile(sorted, rule.low_percent), .high = quantile(sorted, rule.high_percent)};
        break;
      case RangeRule::kDeviations:
        range = range_by_deviations(sorted, rule.deviations);
        break;
      case RangeRule::kInformation:
        range = range_by_information(specification, data, i, which, sorted);
        break;
    }
    inputs.push_back(input_of(specification, i, range));
  }
  return inputs;
}

void encode_again(const std::vector<learned::Input>& inputs, std::size_t input, const Dataset& data,
                  Samples& samples) {
  const kan::InputFeature feature = learned::integer_input(inputs[input]);
  for (std::size_t row = 0; row < samples.rows(); ++row) {
    const auto code = kan::reference_code(feature, data.values[row * data.columns + input]);
    KANTRIG_ASSERT(code.has_value());
    samples.codes[row * data.columns + input] = *code;
  }
}

Samples make_samples(const Specification& specification, const std::vector<learned::Input>& inputs,
                     const Dataset& data, std::size_t rows) {
  KANTRIG_ASSERT(rows <= data.rows() && inputs.size() == data.columns);
  Samples samples;
  samples.inputs = data.columns;
  samples.outputs = specification.layers.back();
  samples.values.reserve(rows * data.columns);
  for (std::size_t i = 0; i < rows * data.columns; ++i) {
    const learned::Input& input = inputs[i % data.columns];
    const double value = static_cast<double>(data.values[i]) * input.gain + input.shift;
    const double last = input.point((1U << input.bits) - 1);
    samples.values.push_back(
        static_cast<float>(input.bits > 0 ? std::clamp(value, input.first, last) : value));
  }
  samples.codes.resize(samples.values.size());
  for (std::size_t j = 0; j < data.columns; ++j) {
    if (inputs[j].bits > 0) encode_again(inputs, j, data, samples);
  }
  const auto taken = static_cast<std::ptrdiff_t>(rows);
  if (specification.task == Task::kClasses)
    samples.classes.assign(data.classes.begin(), data.classes.begin() + taken);
  if (specification.task == Task::kAutoencoder) samples.targets = samples.values;
  if (specification.task == Task::kRegression)
    samples.targets.assign(data.targets.begin(),
                           data.targets.begin() + taken * static_cast<std::ptrdiff_t>(samples.outputs));
  return samples;
}

}  // namespace kantrig::train
