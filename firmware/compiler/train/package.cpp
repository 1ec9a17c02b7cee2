#include "compiler/train/package.hpp"

#include "base/assert.hpp"
#include "base/build_info.hpp"
#include "compiler/train/extract.hpp"
#include "compiler/train/report.hpp"
#include "kan/reference.hpp"

#include <algorithm>
#include <numeric>

namespace kantrig::train {

using namespace learned;
namespace {

constexpr std::size_t kGoldenFromEvents = 256;
constexpr std::size_t kGoldenRandom = 256;
constexpr std::uint32_t kScoreBinsMax = 256;

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

void add_auc(const Specification& specification, Training& training, std::vector<kan::Metric>& metrics) {
  const double scale = training.kan.layers().back().scale();
  const std::size_t outputs = specification.layers.back();
  std::vector<std::vector<double>> scores(outputs);
  for (const std::uint32_t event : training.validation) {
    const std::vector<double> values = probabilities(training.kan.outputs(training.events.row(event)), scale);
    for (std::size_t k = 0; k < outputs; ++k) scores[k].push_back(values[k]);
  }
  for (std::size_t k = 0; k < outputs; ++k) {
    const std::size_t label = outputs == 1 ? 1 : k;
    std::vector<bool> members;
    for (const std::uint32_t event : training.validation)
      members.push_back(training.events.classes[event] == label);
    metrics.push_back({.name = "auc_" + specification.classes[label], .value = roc_auc(scores[k], members)});
  }
}

kan::Reference make_reference(const Specification& specification, const kan::Model& model,
                              Training& training) {
  kan::Reference reference;
  for (std::size_t i = 0; i < specification.features.size(); ++i) {
    kan::Histogram histogram;
    histogram.name = specification.features[i].name;
    histogram.counts.assign(std::size_t{1} << model.inputs[i].bits, 0);
    reference.features.push_back(std::move(histogram));
  }
  for (std::size_t k = 0; k < model.output_count(); ++k) {
    const kan::Node& node = model.layers.back().nodes[k];
    const auto codes = static_cast<std::uint32_t>(node.high - node.low + 1);
    kan::Histogram histogram;
    histogram.name = specification.classes[model.output_count() == 1 ? 1 : k];
    histogram.first = node.low;
    histogram.width = (codes + kScoreBinsMax - 1) / kScoreBinsMax;
    histogram.counts.assign((codes + histogram.width - 1) / histogram.width, 0);
    reference.scores.push_back(std::move(histogram));
  }
  for (std::size_t event = 0; event < training.events.count(); ++event) {
    const auto codes = training.events.row(event);
    for (std::size_t i = 0; i < codes.size(); ++i) ++reference.features[i].counts[codes[i]];
    const auto outputs = training.kan.outputs(codes);
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

}  // namespace

double roc_auc(std::span<const double> scores, const std::vector<bool>& members) {
  KANTRIG_ASSERT(scores.size() == members.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double wins = 0.0;  // pairs in which the member scores above, ties half (Mann and Whitney's U)
  double others_below = 0.0;
  double member_count = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double tied_members = 0.0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      tied_members += members[order[end]] ? 1.0 : 0.0;
    }
    const double tied_others = static_cast<double>(end - begin) - tied_members;
    wins += tied_members * (others_below + 0.5 * tied_others);
    others_below += tied_others;
    member_count += tied_members;
    begin = end;
  }
  if (member_count == 0.0 || others_below == 0.0) return 0.5;
  return wins / (member_count * others_below);
}

kan::GoldenVectors make_golden(const kan::Model& model, const CodedEvents& events, std::uint64_t seed) {
  kan::GoldenVectors golden;
  const std::size_t taken = std::min(kGoldenFromEvents, events.count());
  for (std::size_t n = 0; n < taken; ++n) add_vector(model, events.row(n * events.count() / taken), golden);

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

Result<kan::Bundle> make_bundle(const Specification& specification, const Dataset& data, Training& training,
                                std::string_view specification_sha256) {
  kan::Bundle bundle;
  bundle.name = specification.name;
  bundle.version = specification.version;
  bundle.description = specification.description;
  bundle.features = specification.features;
  bundle.classes = specification.classes;
  bundle.provenance = {.tool = fmt::format("kanc {}", base::build_info().version),
                       .command = "train",
                       .source = data.name,
                       .source_sha256 = data.sha256,
                       .specification_sha256 = std::string(specification_sha256),
                       .seed = specification.training.seed,
                       .license = specification.license};
  bundle.model = extract(training.kan, training.inputs);
  if (auto ok = kan::check(bundle.model); !ok) return tl::unexpected(ok.error().within("the learned model"));
  bundle.golden = make_golden(bundle.model, training.events, specification.training.seed);
  bundle.reference = make_reference(specification, bundle.model, training);
  const Score learned = training.kan.score(training.events, training.learned);
  const Score validation = training.kan.score(training.events, training.validation);
  bundle.metrics = {{.name = "accuracy_train", .value = learned.accuracy},
                    {.name = "accuracy_validation", .value = validation.accuracy},
                    {.name = "loss_train", .value = learned.loss},
                    {.name = "loss_validation", .value = validation.loss}};
  add_auc(specification, training, bundle.metrics);
  bundle.report_json = make_report(bundle, training);
  return bundle;
}

}  // namespace kantrig::train
