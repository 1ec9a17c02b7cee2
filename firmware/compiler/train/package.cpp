#include "compiler/train/package.hpp"

#include "base/assert.hpp"
#include "base/build_info.hpp"
#include "compiler/learned/random.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/quality.hpp"
#include "compiler/train/anomaly.hpp"
#include "compiler/train/report.hpp"
#include "kan/reference.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace kantrig::train {

using namespace learned;
namespace {

constexpr std::size_t kGoldenFromEvents = 256;
constexpr std::size_t kGoldenRandom = 256;
constexpr std::uint32_t kScoreBinsMax = 256;
constexpr std::array<std::string_view, 2> kAnomalyClasses{"normal", "anomaly"};

/// Probabilities of the classes of one event; of class 1 alone for a model of one output.
std::vector<double> probabilities(std::span<const std::int32_t> outputs, double scale) {
  if (outputs.size() == 1) return {1.0 / (1.0 + exponential(-scale * outputs[0]))};
  const std::int32_t largest = *std::max_element(outputs.begin(), outputs.end());
  std::vector<double> values;
  for (const std::int32_t output : outputs) values.push_back(exponential(scale * (output - largest)));
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
  return values;
}

std::span<const std::uint16_t> codes_of(const Samples& samples, std::size_t row) {
  return std::span(samples.codes).subspan(row * samples.inputs, samples.inputs);
}

/// Integer outputs of the finished model for every event, event by event.
std::vector<std::int16_t> all_outputs(const kan::Model& model, const Samples& samples) {
  std::vector<std::int16_t> all;
  for (std::size_t row = 0; row < samples.rows(); ++row) {
    const auto outputs = kan::reference_outputs(model, codes_of(samples, row));
    all.insert(all.end(), outputs.begin(), outputs.end());
  }
  return all;
}

/// The finished model on the events of a training.
struct Measured {
  const kan::Model& model;
  const Samples& samples;
  std::vector<std::int16_t> outputs;  // events x outputs

  [[nodiscard]] std::vector<std::int32_t> row(std::size_t event) const {
    const std::size_t count = model.output_count();
    const auto begin = outputs.begin() + static_cast<std::ptrdiff_t>(event * count);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }
};

Score score_of(const Measured& measured, std::span<const std::uint32_t> which) {
  Score score;
  for (const std::uint32_t event : which) {
    const std::vector<std::int32_t> outputs = measured.row(event);
    const std::uint8_t label = measured.samples.classes[event];
    const std::vector<double> chances = probabilities(outputs, measured.model.output_scales.front());
    const double chance = outputs.size() > 1 ? chances[label] : label == 1 ? chances[0] : 1.0 - chances[0];
    score.loss -= logarithm(std::max(chance, 1e-300));
    const std::vector<std::int16_t> codes(outputs.begin(), outputs.end());
    score.accuracy += kan::reference_class(measured.model, codes) == label ? 1.0 : 0.0;
  }
  score.loss /= static_cast<double>(which.size());
  score.accuracy /= static_cast<double>(which.size());
  return score;
}

void add_auc(const Specification& specification, const Measured& measured,
             std::span<const std::uint32_t> which, std::vector<kan::Metric>& metrics) {
  const double scale = measured.model.output_scales.front();
  const std::size_t outputs = specification.layers.back();
  std::vector<std::vector<double>> scores(outputs);
  for (const std::uint32_t event : which) {
    const std::vector<double> values = probabilities(measured.row(event), scale);
    for (std::size_t k = 0; k < outputs; ++k) scores[k].push_back(values[k]);
  }
  for (std::size_t k = 0; k < outputs; ++k) {
    const std::size_t label = outputs == 1 ? 1 : k;
    std::vector<bool> members;
    for (const std::uint32_t event : which) members.push_back(measured.samples.classes[event] == label);
    metrics.push_back({.name = "auc_" + specification.classes[label],
                       .value = compiler::roc_auc(scores[k], members).value_or(0.5)});
  }
}

/// Mean square of what is missing, over outputs and events.
double mean_square(const Measured& measured, std::span<const std::uint32_t> which) {
  const std::size_t count = measured.model.output_count();
  double sum = 0.0;
  for (const std::uint32_t event : which) {
    for (std::size_t k = 0; k < count; ++k) {
      const double output = measured.outputs[event * count + k] * measured.model.output_scales[k];
      const double distance = output - static_cast<double>(measured.samples.targets[event * count + k]);
      sum += distance * distance;
    }
  }
  return sum / static_cast<double>(which.size() * count);
}

std::string output_name(const Specification& specification, std::size_t output) {
  if (specification.task == Task::kRegression) return specification.targets[output];
  if (specification.task == Task::kAutoencoder) return std::string(kAnomalyClasses.back());
  return specification.classes[specification.layers.back() == 1 ? 1 : output];
}

kan::Reference make_reference(const Specification& specification, const Measured& measured) {
  const kan::Model& model = measured.model;
  kan::Reference reference;
  for (std::size_t i = 0; i < specification.features.size(); ++i) {
    kan::Histogram histogram;
    histogram.name = specification.features[i].name;
    histogram.counts.assign(std::size_t{1} << model.inputs[i].bits, 0);
    reference.features.push_back(std::move(histogram));
  }
  const std::vector<kan::OutputRange> ranges = kan::output_ranges(model);
  for (std::size_t k = 0; k < ranges.size(); ++k) {
    const auto codes = static_cast<std::uint32_t>(ranges[k].high - ranges[k].low + 1);
    kan::Histogram histogram;
    histogram.name = output_name(specification, k);
    histogram.first = ranges[k].low;
    histogram.width = (codes + kScoreBinsMax - 1) / kScoreBinsMax;
    histogram.counts.assign((codes + histogram.width - 1) / histogram.width, 0);
    reference.scores.push_back(std::move(histogram));
  }
  for (std::size_t event = 0; event < measured.samples.rows(); ++event) {
    const auto codes = codes_of(measured.samples, event);
    for (std::size_t i = 0; i < codes.size(); ++i) ++reference.features[i].counts[codes[i]];
    const std::vector<std::int32_t> outputs = measured.row(event);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      kan::Histogram& scores = reference.scores[k];
      ++scores.counts[static_cast<std::uint32_t>(outputs[k] - scores.first) / scores.width];
    }
  }
  return reference;
}

void add_vector(const kan::Model& model, std::span<const std::uint16_t> codes, kan::GoldenVectors& golden) {
  const std::vector<std::int16_t> outputs = kan::reference_outputs(model, codes);
  golden.inputs.insert(golden.inputs.end(), codes.begin(), codes.end());
  golden.outputs.insert(golden.outputs.end(), outputs.begin(), outputs.end());
  ++golden.count;
}

std::vector<kan::Metric> metrics_of(const Specification& specification, const Measured& measured,
                                    const Training& training) {
  if (specification.task != Task::kClasses) {
    return {{.name = "mean_square_train", .value = mean_square(measured, training.learned)},
            {.name = "mean_square_validation", .value = mean_square(measured, training.validation)}};
  }
  const Score learned = score_of(measured, training.learned);
  const Score validation = score_of(measured, training.validation);
  std::vector<kan::Metric> metrics{{.name = "accuracy_train", .value = learned.accuracy},
                                   {.name = "accuracy_validation", .value = validation.accuracy},
                                   {.name = "loss_train", .value = learned.loss},
                                   {.name = "loss_validation", .value = validation.loss}};
  add_auc(specification, measured, training.validation, metrics);
  return metrics;
}

/// Mean real score of the rows learned from and of the others, and which part of the others is an anomaly.
void add_score_metrics(const Measured& measured, const Training& training,
                       std::vector<kan::Metric>& metrics) {
  const double scale = measured.model.output_scales.front();
  const auto mean = [&](std::span<const std::uint32_t> which, auto&& value) {
    double sum = 0.0;
    for (const std::uint32_t event : which) sum += value(measured.outputs[event]);
    return sum / static_cast<double>(which.size());
  };
  const auto score = [&](std::int16_t output) { return scale * output; };
  const auto anomaly = [&](std::int16_t output) { return output > measured.model.class_above() ? 1.0 : 0.0; };
  metrics.push_back({.name = "score_train", .value = mean(training.learned, score)});
  metrics.push_back({.name = "score_validation", .value = mean(training.validation, score)});
  metrics.push_back({.name = "anomalies_validation", .value = mean(training.validation, anomaly)});
}

/// A bundle names classes even where the outputs are no classes: one for each output, or the two sides of 0.
std::vector<std::string> bundle_classes(const Specification& specification) {
  if (specification.task == Task::kClasses) return specification.classes;
  if (specification.task == Task::kAutoencoder) return {kAnomalyClasses.begin(), kAnomalyClasses.end()};
  std::vector<std::string> names;
  for (std::size_t k = 0; k < specification.layers.back(); ++k)
    names.push_back(output_name(specification, k));
  if (names.size() == 1) names = {fmt::format("not_{}", names.front()), names.front()};
  return names;
}

}  // namespace

kan::GoldenVectors make_golden(const kan::Model& model, const Samples& events, std::uint64_t seed) {
  kan::GoldenVectors golden;
  const std::size_t taken = std::min(kGoldenFromEvents, events.rows());
  for (std::size_t n = 0; n < taken; ++n)
    add_vector(model, codes_of(events, n * events.rows() / taken), golden);

  const std::size_t inputs = model.input_count();
  std::vector<std::uint16_t> highest;
  for (const kan::InputFeature& input : model.inputs)
    highest.push_back(static_cast<std::uint16_t>((1U << input.bits) - 1));
  std::vector<std::uint16_t> codes(inputs, 0);
  add_vector(model, codes, golden);
  add_vector(model, highest, golden);
  for (std::size_t i = 0; i < inputs; ++i) {  // one input at each end, the others in the middle
    for (const bool at_top : {false, true}) {
      for (std::size_t j = 0; j < inputs; ++j) codes[j] = static_cast<std::uint16_t>(highest[j] / 2);
      codes[i] = at_top ? highest[i] : std::uint16_t{0};
      add_vector(model, codes, golden);
    }
  }
  Random random(seed);
  for (std::size_t n = 0; n < kGoldenRandom; ++n) {
    for (std::size_t i = 0; i < inputs; ++i)
      codes[i] = static_cast<std::uint16_t>(random.below(highest[i] + 1U));
    add_vector(model, codes, golden);
  }
  return golden;
}

Result<kan::Bundle> make_bundle(const Specification& specification, const Dataset& data,
                                const Training& training, std::string_view specification_sha256) {
  kan::Bundle bundle;
  bundle.name = specification.name;
  bundle.version = specification.version;
  bundle.description = specification.description;
  bundle.features = specification.features;
  bundle.classes = bundle_classes(specification);
  bundle.provenance = {.tool = fmt::format("kanc {}", base::build_info().version),
                       .command = "train",
                       .source = data.name,
                       .source_sha256 = data.sha256,
                       .specification_sha256 = std::string(specification_sha256),
                       .seed = specification.training.seed,
                       .license = specification.license};
  auto model = tabulate(training.kan);
  if (!model) return tl::unexpected(model.error().within("the learned model"));
  Measured measured{
      .model = *model, .samples = training.samples, .outputs = all_outputs(*model, training.samples)};
  bundle.metrics = metrics_of(specification, measured, training);
  if (specification.task == Task::kAutoencoder) {
    auto scored = with_anomaly_score(*model, training.kan, specification.score, training.samples,
                                     measured.outputs, training.learned);
    if (!scored) return tl::unexpected(scored.error().within("the learned model"));
    *model = std::move(scored->model);
    measured.outputs = std::move(scored->scores);
    add_score_metrics(measured, training, bundle.metrics);
  }
  bundle.golden = make_golden(*model, training.samples, specification.training.seed);
  bundle.reference = make_reference(specification, measured);
  bundle.model = std::move(*model);
  bundle.report_json = make_report(bundle, training);
  return bundle;
}

namespace {

/// What bundle_of() knows of a model that was not trained here, as if it had been specified.
Result<Specification> facts_of(const LearnedKan& kan, std::string_view full_name,
                               const std::optional<ScorePlan>& score) {
  const std::size_t dash = full_name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == full_name.size())
    return fail(ErrorCode::kInvalid, "'{}' is no bundle's name, expected <name>-<version>", full_name);
  Specification facts;
  facts.name = full_name.substr(0, dash);
  facts.version = full_name.substr(dash + 1);
  for (const Input& input : kan.inputs) facts.features.push_back(input.feature);
  facts.classes = kan.classes;
  facts.task = kan.classes.empty() ? Task::kRegression : Task::kClasses;
  for (std::uint32_t k = 0; kan.classes.empty() && k < kan.layers.back().nodes; ++k)
    facts.targets.push_back(fmt::format("y{}", k));
  facts.layers = {static_cast<std::uint32_t>(kan.inputs.size()), kan.layers.back().nodes};
  if (score) {
    facts.task = Task::kAutoencoder;
    facts.score = *score;
  }
  return facts;
}

}  // namespace

Result<kan::Bundle> bundle_of(const LearnedKan& kan, const Dataset& data, std::string_view full_name,
                              const std::optional<ScorePlan>& score) {
  const auto facts = facts_of(kan, full_name, score);
  if (!facts) return tl::unexpected(facts.error());
  kan::Bundle bundle;
  bundle.name = facts->name;
  bundle.version = facts->version;
  bundle.features = facts->features;
  bundle.classes = bundle_classes(*facts);
  bundle.provenance = {.tool = fmt::format("kanc {}", base::build_info().version),
                       .command = "quantize",
                       .source = data.name,
                       .source_sha256 = {},
                       .specification_sha256 = {},
                       .seed = 0,
                       .license = {}};
  auto model = tabulate(kan);
  if (!model) return tl::unexpected(model.error());
  Specification unanswered = *facts;
  unanswered.task = Task::kAutoencoder;  // events alone, no answers
  const Samples samples = make_samples(unanswered, kan.inputs, data, data.rows());
  Measured measured{.model = *model, .samples = samples, .outputs = all_outputs(*model, samples)};
  if (score) {
    std::vector<std::uint32_t> rows(samples.rows());
    std::iota(rows.begin(), rows.end(), 0U);
    auto scored = with_anomaly_score(*model, kan, *score, samples, measured.outputs, rows);
    if (!scored) return tl::unexpected(scored.error());
    *model = std::move(scored->model);
    measured.outputs = std::move(scored->scores);
  }
  bundle.golden = make_golden(*model, samples, 1);
  bundle.reference = make_reference(*facts, measured);
  bundle.model = std::move(*model);
  return bundle;
}

}  // namespace kantrig::train
