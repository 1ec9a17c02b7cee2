#include "compiler/quality.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kan/evaluator.hpp"
#include "kan/feature_columns.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kEventsPerBatch = 1024;

/// Adds the scores of one event, whose real outputs are `outputs`.
void add_scores(std::span<const double> outputs, Scores& scores) {
  if (outputs.size() == 1) {
    scores.insert(scores.end(), {-outputs[0], outputs[0]});
    return;
  }
  const double highest = *std::max_element(outputs.begin(), outputs.end());
  double sum = 0.0;
  for (const double output : outputs) sum += std::exp(output - highest);
  for (const double output : outputs) scores.push_back(std::exp(output - highest) / sum);
}

/// What the events that were not malformed gave.
struct Evaluated {
  std::vector<std::uint32_t> labels;
  Scores scores;
};

class Runner {
 public:
  Runner(const QualityRequest& request, const kan::Evaluator& evaluator, std::span<const std::uint16_t> codes)
      : request_(request), evaluator_(evaluator), codes_(codes), workspace_(evaluator, kEventsPerBatch) {}

  void run(Quality& quality, Evaluated& evaluated) {
    const std::size_t rows = request_.table.rows;
    for (std::size_t first = 0; first < rows; first += kEventsPerBatch) {
      const auto events = static_cast<std::uint32_t>(std::min<std::size_t>(kEventsPerBatch, rows - first));
      load(first, events);
      evaluator_.evaluate(workspace_);
      for (std::uint32_t i = 0; i < events; ++i) add_event(first, i, quality, evaluated);
    }
  }

 private:
  void load(std::size_t first, std::uint32_t events) {
    const std::size_t columns = request_.table.columns;
    if (request_.bundle.model.codes_only) {
      evaluator_.load_code16(std::as_bytes(codes_.subspan(first * columns, events * columns)), events,
                             workspace_);
      return;
    }
    const auto values = std::span(request_.table.values).subspan(first * columns, events * columns);
    evaluator_.load_float32(std::as_bytes(values), events, workspace_, {});
  }

  void add_event(std::size_t first, std::uint32_t i, Quality& quality, Evaluated& evaluated) {
    if ((workspace_.malformed()[i / 64] >> (i % 64) & 1U) != 0) {
      ++quality.malformed;
      return;
    }
    const std::uint32_t label = request_.labels[first + i];
    const std::uint32_t decided = workspace_.classes()[i];
    ++quality.events;
    ++quality.confusion[label][decided];
    if (label == decided) ++quality.correct;
    const auto& scales = request_.bundle.model.output_scales;
    outputs_.clear();
    for (std::uint32_t k = 0; k < scales.size(); ++k)
      outputs_.push_back(scales[k] * workspace_.outputs(k)[i]);
    add_scores(outputs_, evaluated.scores);
    evaluated.labels.push_back(label);
  }

  const QualityRequest& request_;
  const kan::Evaluator& evaluator_;
  std::span<const std::uint16_t> codes_;
  kan::Workspace workspace_;
  std::vector<double> outputs_;
};

std::vector<std::optional<double>> auc_per_class(const Evaluated& evaluated, std::size_t classes) {
  std::vector<std::optional<double>> auc;
  std::vector<double> scores(evaluated.labels.size());
  std::vector<bool> positive(evaluated.labels.size());
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = evaluated.scores[i * classes + c];
      positive[i] = evaluated.labels[i] == c;
    }
    auc.push_back(roc_auc(scores, positive));
  }
  return auc;
}

}  // namespace

std::optional<double> roc_auc(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double wins = 0.0;  // pairs of one positive and one negative event in which the positive one scores higher
  double negatives = 0.0;  // seen so far
  double positives = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    double tied_positives = 0.0;
    double tied_negatives = 0.0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      (positive[order[end]] ? tied_positives : tied_negatives) += 1.0;
    }
    wins += tied_positives * (negatives + 0.5 * tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
    begin = end;
  }
  if (positives == 0.0 || negatives == 0.0) return std::nullopt;
  return wins / (positives * negatives);
}

Result<Quality> measure_quality(const QualityRequest& request) {
  const kan::Bundle& bundle = request.bundle;
  if (request.labels.size() != request.table.rows) {
    return fail(ErrorCode::kInvalid, "{}: has {} rows for {} labels, expected as many of both",
                request.source, request.table.rows, request.labels.size());
  }
  std::vector<std::uint16_t> codes;
  if (bundle.model.codes_only) {
    auto checked = kan::table_codes(request.table, bundle, request.source);
    if (!checked) return tl::unexpected(checked.error());
    codes = std::move(*checked);
  }
  const auto evaluator = kan::Evaluator::create(bundle.model, request.kernel_set);
  if (!evaluator) return tl::unexpected(evaluator.error());

  const std::size_t classes = bundle.classes.size();
  Quality quality;
  quality.confusion.assign(classes, std::vector<std::uint64_t>(classes, 0));
  Evaluated evaluated;
  Runner(request, *evaluator, codes).run(quality, evaluated);
  quality.auc = auc_per_class(evaluated, classes);
  return quality;
}

Quality judge_outputs(std::span<const float> outputs, std::size_t outputs_per_event,
                      std::span<const std::uint32_t> labels) {
  const std::size_t classes = outputs_per_event == 1 ? 2 : outputs_per_event;
  Quality quality;
  quality.confusion.assign(classes, std::vector<std::uint64_t>(classes, 0));
  Evaluated evaluated;
  for (std::size_t event = 0; event < labels.size(); ++event) {
    const auto part = outputs.subspan(event * outputs_per_event, outputs_per_event);
    const auto largest =
        static_cast<std::uint32_t>(std::max_element(part.begin(), part.end()) - part.begin());
    const std::uint32_t decided = outputs_per_event == 1 ? (part[0] > 0.0F ? 1 : 0) : largest;
    ++quality.events;
    ++quality.confusion[labels[event]][decided];
    if (decided == labels[event]) ++quality.correct;
    add_scores(std::vector<double>(part.begin(), part.end()), evaluated.scores);
    evaluated.labels.push_back(labels[event]);
  }
  quality.auc = auc_per_class(evaluated, classes);
  return quality;
}

}  // namespace kantrig::compiler
