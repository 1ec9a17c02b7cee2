#include "compiler/insight/symbolic.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace kantrig::insight {
namespace {

using learned::Formula;
using learned::Function;
using learned::FunctionFacts;

constexpr std::size_t kSamplesMax = 160;  // of one edge
constexpr double kInnerCost = 0.25;       // of a fitted inner number, in units of complexity
constexpr double kResidualLeast = 1e-5;   // better than this is all the same

/// The points of a curve that events meet; of many, every so manieth with the weight of those around it.
Samples samples_of(const Curve& curve, const Source& source) {
  Samples samples;
  const std::size_t together = (source.points.size() + kSamplesMax - 1) / kSamplesMax;
  for (std::size_t first = 0; first < source.points.size(); first += together) {
    const std::size_t end = std::min(first + together, source.points.size());
    double weight = 0.0;
    for (std::size_t i = first; i < end; ++i) weight += source.shares[i];
    if (!(weight > 0.0)) continue;
    const std::size_t middle = (first + end - 1) / 2;
    samples.x.push_back(source.points[middle]);
    samples.y.push_back(curve.values[middle]);
    samples.weights.push_back(weight);
  }
  return samples;
}

double mean_of(const Curve& curve, const Source& source) {
  double mean = 0.0;
  for (std::size_t i = 0; i < source.shares.size(); ++i) mean += source.shares[i] * curve.values[i];
  return mean;
}

double cost_of(const FunctionFit& fit, std::uint32_t complexity, double weight) {
  // log2 from natural logarithms: R2 is at most 1.
  constexpr double kLn2 = 0.69314718055994530942;
  const double quality = learned::logarithm(1.0 + kResidualLeast - std::min(fit.r2, 1.0)) / kLn2;
  return weight * (complexity + kInnerCost * fit.inner) + (1.0 - weight) * quality;
}

std::vector<Candidate> candidates_for(const Samples& samples, const SymbolicOptions& options) {
  std::vector<Candidate> candidates;
  for (const FunctionFacts& facts : learned::functions()) {
    const auto fit = fit_function(facts.function, samples);
    if (!fit) continue;
    candidates.push_back({.formula = fit->formula,
                          .r2 = fit->r2,
                          .complexity = facts.complexity,
                          .cost = cost_of(*fit, facts.complexity, options.simplicity)});
  }
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    const bool good = a.r2 >= options.r2_least;
    if (good != (b.r2 >= options.r2_least)) return good;
    return good ? a.cost < b.cost : a.r2 > b.r2;
  });
  return candidates;
}

/// What an edge must reach to be among the `count` most important ones.
double least_importance(const CurveModel& curves, std::size_t count) {
  std::vector<double> importances;
  for (const CurveLayer& layer : curves.layers) {
    for (const Curve& curve : layer.curves) importances.push_back(curve.importance);
  }
  if (importances.size() <= count) return 0.0;
  std::sort(importances.begin(), importances.end(), std::greater<>());
  return importances[count - 1];
}

Candidate constant(double mean) {
  return {.formula = {.function = Function::kZero, .outer_scale = 0.0, .outer_offset = mean}};
}

}  // namespace

std::vector<Proposal> propose(const learned::LearnedKan& kan, const CurveModel& curves,
                              const SymbolicOptions& options) {
  std::vector<Proposal> proposals;
  const double least = least_importance(curves, options.edges_max);
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    for (const Curve& curve : curves.layers[l].curves) {
      const Source& source = curves.layers[l].sources[curve.input];
      Proposal& proposal = proposals.emplace_back();
      proposal.layer = l;
      proposal.input = curve.input;
      proposal.node = curve.node;
      proposal.strength = curve.strength;
      const auto given = layer.formulas.find(layer.edge_index(curve.input, curve.node));
      if (given != layer.formulas.end()) {
        proposal.was_formula = proposal.accepted = true;
        proposal.candidates.push_back({.formula = given->second, .r2 = 1.0});
        continue;
      }
      proposal.left_out = curve.importance < least;
      if (proposal.left_out) {
        proposal.candidates.push_back(constant(mean_of(curve, source)));
        continue;
      }
      proposal.constant = curve.strength < options.constant_below;
      if (!proposal.constant) proposal.candidates = candidates_for(samples_of(curve, source), options);
      if (proposal.candidates.empty()) proposal.candidates.push_back(constant(mean_of(curve, source)));
      proposal.accepted = proposal.constant || proposal.candidates[0].r2 >= options.r2_least;
    }
  }
  return proposals;
}

learned::LearnedKan with_formulas(const learned::LearnedKan& kan, const std::vector<Proposal>& proposals) {
  learned::LearnedKan made = kan;
  for (const Proposal& proposal : proposals) {
    if (!proposal.accepted) continue;
    learned::Layer& layer = made.layers[proposal.layer];
    layer.formulas[layer.edge_index(proposal.input, proposal.node)] = proposal.candidates[0].formula;
  }
  return made;
}

std::vector<double> agreement(const learned::LearnedKan& kan, const learned::LearnedKan& made,
                              const base::FeatureTable& events) {
  const std::size_t outputs = kan.layers.back().nodes;
  std::vector<double> sums(outputs, 0.0);
  std::vector<double> squares(outputs, 0.0);
  std::vector<double> residuals(outputs, 0.0);
  double counted = 0.0;
  for (std::size_t i = 0; i < events.rows; ++i) {
    const auto row = events.row(i);
    if (!std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) continue;
    counted += 1.0;
    const auto before = learned::evaluate(kan, row);
    const auto after = learned::evaluate(made, row);
    for (std::size_t k = 0; k < outputs; ++k) {
      sums[k] += before[k];
      squares[k] += before[k] * before[k];
      residuals[k] += (after[k] - before[k]) * (after[k] - before[k]);
    }
  }
  std::vector<double> r2(outputs, 1.0);
  for (std::size_t k = 0; k < outputs; ++k) {
    const double deviations = squares[k] - sums[k] * sums[k] / std::max(counted, 1.0);
    if (residuals[k] > 0.0) r2[k] = deviations > 0.0 ? 1.0 - residuals[k] / deviations : 0.0;
  }
  return r2;
}

}  // namespace kantrig::insight
