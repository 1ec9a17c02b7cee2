#include "compiler/explore/codebook.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace kantrig::explore {
namespace {

constexpr int kRoundsMax = 200;
constexpr double kProgressMin = 1e-9;  // of the unexplained part, in one round
constexpr double kRidge = 1e-9;        // relative to the mean of the normal matrix's diagonal

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// An input of a layer: what its edges' parameters give over its codes.
struct InputBasis {
  Vector mean;  // of each basis function, as often as codes occur
  Matrix gram;  // of the basis functions without their means
};

struct Curve {
  std::uint32_t layer = 0;
  std::uint32_t input = 0;
  std::uint32_t node = 0;
  const InputBasis* basis = nullptr;
  double weight = 1.0;  // 1 / threshold^2 of the node
  Vector parameters;
  double energy = 0.0;  // weighted variance
};

InputBasis basis_of(const learned::LearnedKan& kan, std::size_t l, std::uint32_t input,
                    const std::vector<double>& occupancy) {
  const learned::Layer& layer = kan.layers[l];
  const auto size = static_cast<Eigen::Index>(layer.basis_count()) + 1;
  learned::Layer probe = learned::make_layer(learned::EdgeKind::kSpline, 1, 1, layer.grid, layer.base);
  probe.weights[0] = 1.0;
  const std::vector<double> points = learned::input_points(kan, l, input);
  Matrix rows = Matrix::Zero(static_cast<Eigen::Index>(points.size()), size);
  Vector often(rows.rows());
  for (Eigen::Index c = 0; c < rows.rows(); ++c) {
    const double x = points[static_cast<std::size_t>(c)];
    const learned::BasisRow basis = learned::basis_at(layer.grid, x);
    for (std::uint32_t b = 0; b < basis.count; ++b) rows(c, basis.first + b) = basis.values[b];
    rows(c, size - 1) = learned::edge_value(probe, 0, 0, x);
    often(c) = occupancy[static_cast<std::size_t>(c)];
  }
  const Vector mean = rows.transpose() * often;
  rows.rowwise() -= mean.transpose();
  return {mean, rows.transpose() * often.asDiagonal() * rows};
}

Vector parameters_of(const learned::Layer& layer, std::uint32_t input, std::uint32_t node) {
  const std::uint32_t basis = layer.basis_count();
  Vector parameters(basis + 1);
  for (std::uint32_t b = 0; b < basis; ++b)
    parameters(b) = layer.coefficients[(input * basis + b) * layer.nodes + node];
  parameters(basis) = layer.weights[layer.edge_index(input, node)];
  return parameters;
}

Result<void> check_common_basis(const learned::LearnedKan& kan) {
  const learned::Layer& first = kan.layers.front();
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    const bool same = layer.grid.low == first.grid.low && layer.grid.high == first.grid.high &&
                      layer.grid.size == first.grid.size && layer.grid.order == first.grid.order &&
                      layer.base == first.base;
    if (layer.kind == learned::EdgeKind::kSpline && same && layer.knots.empty() && layer.formulas.empty())
      continue;
    return fail(ErrorCode::kUnsupported,
                "layer {}: has edges that are not B-splines on the first layer's uniform grid with its base "
                "function, which "
                "shapes shared by all edges ask for",
                l);
  }
  return {};
}

}  // namespace

struct EdgeCurves::Curves {
  std::map<std::pair<std::size_t, std::uint32_t>, InputBasis>
      bases;  // by layer and input; their places are kept
  std::vector<Curve> list;
  double energy = 0.0;

  struct Fit {
    double factor = 0.0;
    double explained = 0.0;
  };
  static Fit fit(const Curve& curve, const Vector& shape) {
    const Vector product = curve.basis->gram * shape;
    const double square = shape.dot(product);
    if (square <= 0.0) return {};
    const double along = curve.parameters.dot(product);
    return {along / square, curve.weight * along * along / square};
  }

  /// Each curve to the shape that leaves least of it; returns how much is explained of each.
  std::vector<double> assign(const std::vector<Vector>& shapes, std::vector<ShapeUse>& uses) const {
    std::vector<double> explained(list.size(), 0.0);
    for (std::size_t e = 0; e < list.size(); ++e) {
      uses[e].factor = 0.0;
      for (std::uint32_t s = 0; s < shapes.size(); ++s) {
        const Fit one = fit(list[e], shapes[s]);
        if (s > 0 && one.explained <= explained[e]) continue;
        explained[e] = one.explained;
        uses[e].shape = s;
        uses[e].factor = one.factor;
      }
    }
    return explained;
  }

  std::size_t worst(const std::vector<double>& explained) const {
    std::size_t index = 0;
    double most = -1.0;
    for (std::size_t e = 0; e < list.size(); ++e) {
      const double left = list[e].energy - explained[e];
      if (left > most) {
        most = left;
        index = e;
      }
    }
    return index;
  }

  /// The shape nearest to all curves that use it, of mean variance 1 over their codes. False: nobody uses it.
  bool improve(std::uint32_t s, const std::vector<ShapeUse>& uses, Vector& shape) const {
    Matrix normal = Matrix::Zero(shape.size(), shape.size());
    Matrix pooled = normal;
    Vector right = Vector::Zero(shape.size());
    double count = 0.0;
    for (std::size_t e = 0; e < list.size(); ++e) {
      if (uses[e].shape != s || uses[e].factor == 0.0) continue;
      const double a = uses[e].factor;
      normal += list[e].weight * a * a * list[e].basis->gram;
      right += list[e].weight * a * (list[e].basis->gram * list[e].parameters);
      pooled += list[e].basis->gram;
      count += 1.0;
    }
    if (count == 0.0) return false;
    normal.diagonal().array() += kRidge * normal.trace() / static_cast<double>(shape.size());
    const Vector solved = normal.ldlt().solve(right);
    const double norm = std::sqrt(solved.dot(pooled * solved) / count);
    if (!std::isfinite(norm) || norm <= 0.0) return true;  // as good as it was
    shape = solved / norm;
    return true;
  }
};

EdgeCurves::EdgeCurves(std::unique_ptr<Curves> curves) : curves_(std::move(curves)) {}
EdgeCurves::EdgeCurves(EdgeCurves&&) noexcept = default;
EdgeCurves& EdgeCurves::operator=(EdgeCurves&&) noexcept = default;
EdgeCurves::~EdgeCurves() = default;

Result<EdgeCurves> EdgeCurves::make(const learned::LearnedKan& kan, const train::Occupancy& occupancy) {
  if (auto ok = check_common_basis(kan); !ok) return tl::unexpected(ok.error());
  auto curves = std::make_unique<Curves>();
  for (std::uint32_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      const InputBasis& basis =
          curves->bases.emplace(std::pair{l, j}, basis_of(kan, l, j, occupancy[l][j])).first->second;
      for (std::uint32_t k = 0; k < layer.nodes; ++k) {
        if (!layer.is_active(j, k)) continue;
        const double threshold = layer.quantizers[k].threshold;
        Curve curve{l, j, k, &basis, 1.0 / (threshold * threshold), parameters_of(layer, j, k), 0.0};
        curve.energy = curve.weight * curve.parameters.dot(basis.gram * curve.parameters);
        curves->energy += curve.energy;
        curves->list.push_back(std::move(curve));
      }
    }
  }
  if (curves->list.empty())
    return fail(ErrorCode::kInvalid, "the model has no edges left, expected some to compare");
  return EdgeCurves(std::move(curves));
}

std::size_t EdgeCurves::count() const noexcept {
  return curves_->list.size();
}

Codebook EdgeCurves::cluster(std::uint32_t shape_count, const Codebook& smaller) const {
  Codebook codebook;
  for (const Curve& curve : curves_->list)
    codebook.uses.push_back({curve.layer, curve.input, curve.node, 0, 0.0});
  std::vector<Vector> shapes;
  for (const auto& shape : smaller.shapes) {
    shapes.push_back(Eigen::Map<const Vector>(shape.data(), static_cast<Eigen::Index>(shape.size())));
  }
  std::vector<double> explained = curves_->assign(shapes, codebook.uses);
  while (shapes.size() < shape_count) {
    shapes.push_back(curves_->list[curves_->worst(explained)].parameters);
    explained = curves_->assign(shapes, codebook.uses);
  }
  double before = -1.0;
  for (int round = 0; round < kRoundsMax; ++round) {
    for (std::uint32_t s = 0; s < shapes.size(); ++s) {
      if (curves_->improve(s, codebook.uses, shapes[s])) continue;
      shapes[s] = curves_->list[curves_->worst(explained)].parameters;
    }
    explained = curves_->assign(shapes, codebook.uses);
    double sum = 0.0;
    for (const double one : explained) sum += one;
    codebook.unexplained = curves_->energy > 0.0 ? std::max(0.0, 1.0 - sum / curves_->energy) : 0.0;
    if (before >= 0.0 && before - codebook.unexplained < kProgressMin) break;
    before = codebook.unexplained;
  }
  for (const Vector& shape : shapes) codebook.shapes.emplace_back(shape.begin(), shape.end());
  return codebook;
}

Codebook EdgeCurves::own_shapes() const {
  Codebook codebook;
  for (std::uint32_t e = 0; e < curves_->list.size(); ++e) {
    const Curve& curve = curves_->list[e];
    codebook.uses.push_back({curve.layer, curve.input, curve.node, e, 1.0});
    codebook.shapes.emplace_back(curve.parameters.begin(), curve.parameters.end());
  }
  return codebook;
}

learned::LearnedKan EdgeCurves::apply(const learned::LearnedKan& kan, const Codebook& codebook) const {
  learned::LearnedKan result = kan;
  for (std::size_t e = 0; e < codebook.uses.size(); ++e) {
    const ShapeUse& use = codebook.uses[e];
    const Curve& curve = curves_->list[e];
    learned::Layer& layer = result.layers[use.layer];
    set_edge(layer, use, codebook.shapes[use.shape]);
    const Vector lost = curve.parameters - parameters_of(layer, use.input, use.node);
    layer.biases[use.node] += curve.basis->mean.dot(lost);
  }
  return result;
}

void set_edge(learned::Layer& layer, const ShapeUse& use, const std::vector<double>& shape) {
  const std::uint32_t basis = layer.basis_count();
  for (std::uint32_t b = 0; b < basis; ++b) {
    layer.coefficients[(use.input * basis + b) * layer.nodes + use.node] = use.factor * shape[b];
  }
  layer.weights[layer.edge_index(use.input, use.node)] = use.factor * shape[basis];
}

}  // namespace kantrig::explore
