#include "compiler/train/area.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "base/assert.hpp"
#include "compiler/hardware/lut_estimate.hpp"
#include "compiler/learned/tabulate.hpp"
#include "compiler/train/calibrate.hpp"
#include "compiler/train/objective.hpp"

namespace kantrig::train {
namespace {

constexpr std::size_t kCandidatesApplied = 8;  // before the rest are scored again
/// Part of a uniform distribution in the one that charges are taken over: a table's width is set by its ends
/// too, where few events are, and nothing else keeps them from straying.
constexpr double kUniformShare = 0.3;
constexpr double kRangePerDeviation = 4.0;  // how far a table reaches, about
constexpr std::uint32_t kBitsMin = 2;
constexpr std::uint8_t kDroppedMax = 4;
constexpr std::size_t kRoundsMax = 200;

/// LUTs that one bit of an edge's entries takes: of its table, and of the adder behind it.
double luts_per_bit(std::uint32_t codes) {
  const double table = codes <= 32 ? 0.5 : codes / 64.0;
  return table + 1.0;
}

/// One way to make a model smaller.
struct Candidate {
  std::function<void(learned::LearnedKan&)> apply;
  std::size_t feature = SIZE_MAX;  // whose codes change
  double saved = 0.0;              // LUTs
  double lost = 0.0;               // loss
  [[nodiscard]] double price() const { return std::max(lost, 1e-9) / saved; }
};

void drop_bit(learned::Layer& layer, std::uint32_t edge) {
  if (layer.dropped_bits.empty()) layer.dropped_bits.assign(layer.active.size(), 0);
  ++layer.dropped_bits[edge];
}

void add_edge_candidates(const learned::LearnedKan& kan, const Occupancy& occupancy,
                         std::vector<Candidate>& all) {
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const learned::Layer& layer = kan.layers[l];
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      for (std::uint32_t k = 0; k < layer.nodes; ++k) {
        const std::uint32_t edge = layer.edge_index(j, k);
        if (layer.active[edge] == 0) continue;
        all.push_back({.apply = [l, j, k, &occupancy](learned::LearnedKan& changed) {
          prune_edge(changed, l, j, k, occupancy[l][j]);
          (void)prune_unread(changed);
        }});
        if (!layer.dropped_bits.empty() && layer.dropped_bits[edge] >= kDroppedMax) continue;
        all.push_back(
            {.apply = [l, edge](learned::LearnedKan& changed) { drop_bit(changed.layers[l], edge); }});
      }
    }
  }
}

void add_width_candidates(const learned::LearnedKan& kan, std::vector<Candidate>& all) {
  for (std::size_t j = 0; j < kan.inputs.size(); ++j) {
    if (kan.inputs[j].bits <= kBitsMin) continue;
    all.push_back(
        {.apply =
             [j](learned::LearnedKan& changed) { set_bits(changed.inputs[j], changed.inputs[j].bits - 1); },
         .feature = j});
  }
  for (std::size_t l = 0; l + 1 < kan.layers.size(); ++l) {
    for (std::uint32_t k = 0; k < kan.layers[l].nodes; ++k) {
      if (kan.layers[l].quantizers[k].bits <= kBitsMin) continue;
      all.push_back(
          {.apply = [l, k](learned::LearnedKan& changed) { --changed.layers[l].quantizers[k].bits; }});
    }
  }
}

/// The few events that candidates are scored with.
class Scorer {
 public:
  Scorer(const Samples& samples, const WidthSearch& search) : search_(search) {
    part_.inputs = samples.inputs;
    part_.outputs = samples.outputs;
    const auto append = [](auto& to, const auto& from, std::size_t row, std::size_t count) {
      if (!from.empty())
        to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(row * count),
                  from.begin() + static_cast<std::ptrdiff_t>((row + 1) * count));
    };
    raw_.columns = samples.inputs;
    for (const std::uint32_t row : search.rows) {
      append(part_.codes, samples.codes, row, samples.inputs);
      append(part_.classes, samples.classes, row, 1);
      append(part_.targets, samples.targets, row, samples.outputs);
      append(raw_.values, search.data->values, row, samples.inputs);
      rows_.push_back(static_cast<std::uint32_t>(rows_.size()));
    }
  }

  [[nodiscard]] double loss(const learned::LearnedKan& kan) const { return loss_of(kan, part_); }
  /// With the codes of one feature made anew.
  [[nodiscard]] double loss(const learned::LearnedKan& kan, std::size_t feature) const {
    Samples changed = part_;
    encode_again(kan.inputs, feature, raw_, changed);
    return loss_of(kan, changed);
  }
  void encode(const learned::LearnedKan& kan, std::size_t feature) {
    encode_again(kan.inputs, feature, raw_, part_);
  }

 private:
  [[nodiscard]] double loss_of(const learned::LearnedKan& kan, const Samples& samples) const {
    const ParameterMap map(kan, search_.thresholds);
    const std::size_t slots = Objective::slot_count(rows_.size());
    Objective objective(make_engine(kan, map, slots).value(), search_.loss, slots, *search_.team);
    objective.prepare(map.pack(kan));
    return objective.score(samples, rows_).loss;
  }

  const WidthSearch& search_;
  Samples part_;
  Dataset raw_;
  std::vector<std::uint32_t> rows_;
};

}  // namespace

double estimated_luts(const learned::LearnedKan& kan) {
  const auto model = learned::tabulate(kan);
  KANTRIG_ASSERT(model.has_value());
  return compiler::estimate_luts(*model).total();
}

void charge_tables(TableEngine& engine, const learned::LearnedKan& kan, const Occupancy& occupancy,
                   double strength) {
  for (std::size_t l = 0; l < kan.layers.size(); ++l) {
    const TableEngine::Tables tables = engine.tables(l);
    const std::span<float> charges = engine.charges(l);
    const double unit = 1.0 / (1U << kan.layers[l].guard_bits);
    std::vector<double> mean(tables.width);
    std::vector<double> factor(tables.width);
    for (std::size_t j = 0; j < kan.layers[l].inputs; ++j) {
      std::vector<double> parts = occupancy[l][j];
      for (double& part : parts)
        part = (1.0 - kUniformShare) * part + kUniformShare / static_cast<double>(parts.size());
      std::fill(mean.begin(), mean.end(), 0.0);
      std::fill(factor.begin(), factor.end(), 0.0);
      for (std::size_t c = 0; c < parts.size(); ++c) {
        const float* const entries = &tables.entries[(tables.offsets[j] + c) * tables.width];
        for (std::size_t k = 0; k < tables.width; ++k) {
          const double entry = unit * static_cast<double>(entries[k]);
          mean[k] += parts[c] * entry;
          factor[k] += parts[c] * entry * entry;
        }
      }
      const double cost =
          strength * luts_per_bit(static_cast<std::uint32_t>(parts.size())) / std::numbers::ln2;
      for (std::size_t k = 0; k < tables.width; ++k) {
        const double deviation = std::sqrt(std::max(factor[k] - mean[k] * mean[k], 0.0));
        factor[k] = deviation > 0.0
                        ? cost * kRangePerDeviation / ((1.0 + kRangePerDeviation * deviation) * deviation)
                        : 0.0;
      }
      for (std::size_t c = 0; c < parts.size(); ++c) {
        const std::size_t row = (tables.offsets[j] + c) * tables.width;
        for (std::size_t k = 0; k < kan.layers[l].nodes; ++k) {
          const double away = unit * static_cast<double>(tables.entries[row + k]) - mean[k];
          charges[row + k] += static_cast<float>(factor[k] * parts[c] * away * unit *
                                                 static_cast<double>(tables.inverse_units[k]));
        }
      }
    }
  }
}

bool narrow(learned::LearnedKan& kan, Samples& samples, const WidthSearch& search, double luts) {
  Scorer scorer(samples, search);
  bool any = false;
  for (std::size_t round = 0; round < kRoundsMax; ++round) {
    const double now = estimated_luts(kan);
    if (now <= luts) break;
    const double before = scorer.loss(kan);
    const Occupancy occupancy = count_codes(kan, samples, search.rows);
    std::vector<Candidate> all;
    add_edge_candidates(kan, occupancy, all);
    add_width_candidates(kan, all);
    for (Candidate& candidate : all) {
      learned::LearnedKan changed = kan;
      candidate.apply(changed);
      candidate.saved = now - estimated_luts(changed);
      if (candidate.saved <= 0.0) continue;
      candidate.lost =
          (candidate.feature == SIZE_MAX ? scorer.loss(changed) : scorer.loss(changed, candidate.feature)) -
          before;
    }
    std::erase_if(all, [](const Candidate& candidate) { return candidate.saved <= 0.0; });
    if (all.empty()) break;
    std::stable_sort(all.begin(), all.end(),
                     [](const Candidate& a, const Candidate& b) { return a.price() < b.price(); });
    for (std::size_t n = 0; n < std::min(all.size(), kCandidatesApplied) && estimated_luts(kan) > luts; ++n) {
      all[n].apply(kan);
      any = true;
      if (all[n].feature == SIZE_MAX) continue;
      scorer.encode(kan, all[n].feature);
      encode_again(kan.inputs, all[n].feature, *search.data, samples);
    }
  }
  return any;
}

}  // namespace kantrig::train
