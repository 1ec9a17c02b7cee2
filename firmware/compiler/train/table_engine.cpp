#include "compiler/train/table_engine.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "compiler/learned/elementary.hpp"
#include "compiler/learned/tabulate.hpp"

namespace kantrig::train {
namespace {

std::uint32_t code_count(const learned::LearnedKan& kan, std::size_t layer, std::size_t input) {
  return 1U << (layer == 0 ? kan.inputs[input].bits : kan.layers[layer - 1].quantizers[input].bits);
}

loops::ClampView clamp_view(const std::vector<float>& low, const std::vector<float>& high,
                            float inverse_unit) {
  return {.low = low.data(), .high = high.data(), .inverse_unit = inverse_unit, .width = low.size()};
}

}  // namespace

TableEngine::TableEngine(const learned::LearnedKan& kan, const ParameterMap& map, std::size_t slots)
    : kan_(kan), map_(map) {
  KANTRIG_ASSERT(kan.quantized());
  for (std::size_t l = 0; l < kan_.layers.size(); ++l) add_layer(l);
  slots_.resize(slots);
  std::size_t widest = 0;
  for (const LayerState& layer : layers_) widest = std::max(widest, layer.edges.width());
  for (Slot& slot : slots_) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const std::size_t width = layers_[l].edges.width();
      slot.layers.push_back({.codes = std::vector<std::uint16_t>(kChunkRows * kan_.layers[l].inputs),
                             .sums = std::vector<float>(kChunkRows * width),
                             .gathered = std::vector<float>(layers_[l].values.size()),
                             .by_biases = std::vector<float>(width),
                             .by_range = std::vector<float>(width)});
    }
    slot.outputs.assign(kChunkRows * widest, 0.0F);
    slot.by_outputs.assign(kChunkRows * widest, 0.0F);
    slot.by_inputs.assign(kChunkRows * widest, 0.0F);
  }
}

void TableEngine::add_layer(std::size_t index) {
  const learned::Layer& layer = kan_.layers[index];
  LayerState state(layer);
  const std::size_t width = state.edges.width();
  std::uint32_t rows = 0;
  for (std::size_t j = 0; j < layer.inputs; ++j) {
    const std::uint32_t codes = code_count(kan_, index, j);
    state.offsets.push_back(rows);
    rows += static_cast<std::uint32_t>(loops::padded(codes));
    state.points.emplace_back(layer, codes, Slopes::kWanted);
  }
  state.offsets.push_back(rows);
  state.point_values.assign(rows, 0.0F);
  for (auto* part : {&state.values, &state.entries, &state.slopes, &state.passes, &state.charges})
    part->assign(rows * width, 0.0F);
  for (auto* part :
       {&state.biases, &state.raw_biases, &state.scales, &state.inverse_units, &state.low, &state.high})
    part->assign(width, 0.0F);
  state.inverse_unit = 1.0F / static_cast<float>(1U << layer.guard_bits);
  for (auto* part :
       {&state.multiples, &state.inverse_multiples, &state.entry_low, &state.entry_high, &state.active})
    part->assign(layer.inputs * width, 0.0F);
  for (std::uint32_t k = 0; k < layer.nodes; ++k) {
    state.low[k] = static_cast<float>(layer.quantizers[k].low());
    state.high[k] = static_cast<float>(layer.quantizers[k].high());
    const learned::EntryBounds bounds = learned::entry_bounds(layer, k);
    const auto low = static_cast<float>(bounds.low);
    const auto high = static_cast<float>(bounds.high);
    for (std::uint32_t j = 0; j < layer.inputs; ++j) {
      const std::uint32_t dropped =
          layer.dropped_bits.empty() ? 0 : layer.dropped_bits[layer.edge_index(j, k)];
      const auto multiple = static_cast<float>(1U << dropped);
      const std::size_t at = j * width + k;
      state.multiples[at] = multiple;
      state.inverse_multiples[at] = 1.0F / multiple;
      state.entry_low[at] = std::ceil(low / multiple) * multiple;
      state.entry_high[at] = std::floor(high / multiple) * multiple;
      state.active[at] = layer.is_active(j, k) ? 1.0F : 0.0F;
    }
  }
  layers_.push_back(std::move(state));
  if (index > 0) return;
  for (std::size_t j = 0; j < layer.inputs; ++j) {  // the points of the first layer never change
    LayerState& first = layers_[0];
    float* const points = &first.point_values[first.offsets[j]];
    const std::uint32_t codes = code_count(kan_, 0, j);
    for (std::uint32_t c = 0; c < codes; ++c) points[c] = static_cast<float>(kan_.inputs[j].point(c));
    first.points[j].set(points, codes);
  }
}

/// The real values of the codes between two layers, which move with the scales.
void TableEngine::set_points(std::size_t index) {
  const LayerState& before = layers_[index - 1];
  LayerState& state = layers_[index];
  for (std::size_t j = 0; j < kan_.layers[index].inputs; ++j) {
    float* const points = &state.point_values[state.offsets[j]];
    const std::uint32_t codes = code_count(kan_, index, j);
    for (std::uint32_t c = 0; c < codes; ++c)
      points[c] = before.scales[j] * (before.low[j] + static_cast<float>(c));
    state.points[j].set(points, codes);
  }
}

void TableEngine::build_tables(std::size_t index) {
  LayerState& state = layers_[index];
  const std::size_t width = state.edges.width();
  std::fill(state.values.begin(), state.values.end(), 0.0F);
  for (std::size_t j = 0; j < kan_.layers[index].inputs; ++j) {
    const loops::PointsView points = state.points[j].view();
    const loops::EdgesView edges = state.edges.edges(j);
    const std::size_t at = state.offsets[j] * width;
    loops::add_edges(points, edges, &state.values[at], width);
    loops::edge_slopes(points, edges, &state.slopes[at], width);
    const std::size_t edge = j * width;
    loops::quantise_entries({.inverse_unit = state.inverse_units.data(),
                             .multiple = &state.multiples[edge],
                             .inverse_multiple = &state.inverse_multiples[edge],
                             .low = &state.entry_low[edge],
                             .high = &state.entry_high[edge],
                             .active = &state.active[edge],
                             .width = width},
                            points.count, &state.values[at], &state.entries[at], &state.passes[at],
                            &state.slopes[at]);
  }
}

void TableEngine::prepare(std::span<const double> parameters) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const learned::Layer& layer = kan_.layers[l];
    const LayerParameters& where = map_.layer(l);
    LayerState& state = layers_[l];
    state.edges.load(parameters, where, layer);
    for (std::size_t k = 0; k < layer.nodes; ++k) {
      const double threshold =
          learned::exponential(parameters[where.thresholds + (where.threshold_count == 1 ? 0 : k)]);
      const double scale = threshold / -layer.quantizers[k].low();
      const double inverse_unit = static_cast<double>(1U << layer.guard_bits) / scale;
      state.scales[k] = static_cast<float>(scale);
      state.inverse_units[k] = static_cast<float>(inverse_unit);
      const double bias =
          std::clamp(parameters[where.biases + k] * inverse_unit, -learned::kBiasMax, learned::kBiasMax);
      state.raw_biases[k] = static_cast<float>(bias);
      state.biases[k] = static_cast<float>(learned::round_half_even(bias));
    }
    if (l > 0) set_points(l);
    build_tables(l);
    std::fill(state.charges.begin(), state.charges.end(), 0.0F);
  }
  for (Slot& slot : slots_) {
    for (LayerTrace& trace : slot.layers) {
      for (auto* part : {&trace.gathered, &trace.by_biases, &trace.by_range})
        std::fill(part->begin(), part->end(), 0.0F);
    }
  }
}

std::span<const float> TableEngine::forward(std::size_t slot_index, const Samples& samples,
                                            std::span<const std::uint32_t> rows) {
  KANTRIG_ASSERT(rows.size() <= kChunkRows);
  Slot& slot = slots_[slot_index];
  slot.rows = rows.size();
  for (std::size_t r = 0; r < rows.size(); ++r)
    std::copy_n(&samples.codes[std::size_t{rows[r]} * samples.inputs], samples.inputs,
                &slot.layers[0].codes[r * samples.inputs]);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const LayerState& state = layers_[l];
    LayerTrace& trace = slot.layers[l];
    const std::size_t inputs = kan_.layers[l].inputs;
    const std::size_t nodes = kan_.layers[l].nodes;
    const std::size_t width = state.edges.width();
    loops::look_up(
        {.entries = state.entries.data(), .offsets = state.offsets.data(), .inputs = inputs, .width = width},
        trace.codes.data(), inputs, slot.rows, state.biases.data(), trace.sums.data());
    loops::clamp_sums(clamp_view(state.low, state.high, state.inverse_unit), slot.rows, trace.sums.data(),
                      slot.outputs.data());
    const bool last = l + 1 == layers_.size();
    for (std::size_t r = 0; r < slot.rows; ++r) {
      float* const row = &slot.outputs[r * width];
      for (std::size_t k = 0; k < nodes; ++k) {
        if (last) {
          row[k] *= state.scales[k];
        } else {
          slot.layers[l + 1].codes[r * nodes + k] =
              static_cast<std::uint16_t>(static_cast<std::int32_t>(row[k] - state.low[k]));
        }
      }
    }
  }
  return std::span<const float>(slot.outputs).first(slot.rows * width());
}

void TableEngine::backward(std::size_t slot_index, std::span<float> by_outputs) {
  Slot& slot = slots_[slot_index];
  std::copy(by_outputs.begin(), by_outputs.end(), slot.by_outputs.begin());
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const LayerState& state = layers_[l];
    LayerTrace& trace = slot.layers[l];
    const std::size_t inputs = kan_.layers[l].inputs;
    loops::unclamp_gradients(clamp_view(state.low, state.high, state.inverse_unit), slot.rows,
                             trace.sums.data(), slot.by_outputs.data(), trace.by_range.data(),
                             trace.by_biases.data());
    loops::scatter({.entries = state.slopes.data(),
                    .offsets = state.offsets.data(),
                    .inputs = inputs,
                    .width = state.edges.width()},
                   trace.codes.data(), inputs, slot.rows, slot.by_outputs.data(), trace.gathered.data(),
                   l == 0 ? nullptr : slot.by_inputs.data());
    if (l == 0) break;
    const std::size_t before = layers_[l - 1].edges.width();
    for (std::size_t r = 0; r < slot.rows; ++r) {
      float* const to = &slot.by_outputs[r * before];
      std::copy_n(&slot.by_inputs[r * inputs], inputs, to);
      std::fill(to + inputs, to + before, 0.0F);
    }
  }
}

/// output = scale x (sum of entries / 2^guard): by an entry's value 1 where it passes, by the scale entry /
/// 2^guard - value / scale.
void TableEngine::finish_layer(std::size_t index, std::size_t slots, std::span<double> gradient) {
  LayerState& state = layers_[index];
  const learned::Layer& layer = kan_.layers[index];
  const LayerParameters& where = map_.layer(index);
  const std::size_t width = state.edges.width();
  std::vector<float>& gathered = slots_[0].layers[index].gathered;  // takes in the others
  for (std::size_t s = 1; s < slots; ++s) {
    const std::vector<float>& other = slots_[s].layers[index].gathered;
    for (std::size_t i = 0; i < gathered.size(); ++i) gathered[i] += other[i];
  }
  std::vector<float> by_scale(width, 0.0F);
  for (std::size_t row = 0; row < state.offsets.back(); ++row) {
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t at = row * width + k;
      by_scale[k] +=
          gathered[at] * (state.entries[at] - state.passes[at] * (state.values[at] * state.inverse_units[k]));
      gathered[at] = (gathered[at] + state.charges[at]) * state.passes[at];
    }
  }
  state.gradients.clear();
  for (std::size_t j = 0; j < layer.inputs; ++j)
    loops::gather_gradients(state.points[j].view(), state.edges.edges(j), &gathered[state.offsets[j] * width],
                            width, state.gradients.coefficients(j), state.gradients.weights(j));
  state.gradients.add_to(gradient, where, layer);
  for (std::size_t k = 0; k < layer.nodes; ++k) {
    double by_bias = 0.0;
    double by_range = 0.0;
    for (std::size_t s = 0; s < slots; ++s) {
      by_bias += static_cast<double>(slots_[s].layers[index].by_biases[k]);
      by_range += static_cast<double>(slots_[s].layers[index].by_range[k]);
    }
    gradient[where.biases + k] += by_bias;
    const double rounding = by_bias * static_cast<double>(state.biases[k] - state.raw_biases[k]);
    const double total =
        by_range + (static_cast<double>(by_scale[k]) + rounding) * static_cast<double>(state.inverse_unit);
    const std::size_t threshold = where.thresholds + (where.threshold_count == 1 ? 0 : k);
    gradient[threshold] += total * static_cast<double>(state.scales[k]);  // by the logarithm of the threshold
  }
}

void TableEngine::finish(std::size_t slots, std::span<double> gradient) {
  for (std::size_t l = 0; l < layers_.size(); ++l) finish_layer(l, slots, gradient);
}

TableEngine::Tables TableEngine::tables(std::size_t layer) const noexcept {
  const LayerState& state = layers_[layer];
  return {.entries = state.entries,
          .offsets = state.offsets,
          .inverse_units = state.inverse_units,
          .width = state.edges.width()};
}

}  // namespace kantrig::train
