// CurveModel: what a model looks like: the curve of every edge, how often its points are met, and how much it
// matters. README.md tells the definitions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/feature_table.hpp"
#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "kan/bundle.hpp"

namespace kantrig::insight {

/// What enters a layer at one place: a feature, or a node of the layer before.
struct Source {
  std::string name{};
  // Rising: the values that the edges see; of a bundle physical units, and codes beyond the first layer.
  std::vector<double> points{};
  std::vector<double> shares{};  // of the events at each point; their sum is 1
  double importance = 0.0;       // of all sources of a layer: their sum is 1, or 0 where no edge varies
};

/// One edge that is there.
struct Curve {
  std::uint32_t input = 0;
  std::uint32_t node = 0;
  std::vector<double> values{};  // at the source's points, in units of the node's sum
  double deviation = 0.0;        // r.m.s. from their mean, over the shares
  double strength = 0.0;         // deviation over the root of the node's sum of squared deviations
  double importance = 0.0;       // strength squared, times the node's importance
};

struct CurveLayer {
  std::vector<Source> sources{};
  std::uint32_t nodes = 0;
  std::vector<Curve> curves{};  // by node, then by input
};

struct CurveModel {
  std::string name{};
  std::vector<CurveLayer> layers{};
  std::vector<std::string> outputs{};  // of the last layer
  std::string events{};                // in words: which events the shares come from
};

/// Events to look at: rows of features in the model's order. nullptr: from the bundle's reference histograms,
/// or without them uniform; beyond the first layer, of events drawn feature by feature from those.
[[nodiscard]] Result<CurveModel> curves_of(const kan::Bundle& bundle, const base::FeatureTable* events);
[[nodiscard]] Result<CurveModel> curves_of(const learned::LearnedKan& kan, const base::FeatureTable* events);

}  // namespace kantrig::insight
