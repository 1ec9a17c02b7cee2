#include "compiler/hardware/netlist.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace kantrig::compiler {
namespace {

/// LUT levels that a cell adds. A ternary adder's LUTs feed their majority to the next column's LUT.
std::uint32_t levels_of(CellKind kind) {
  if (kind == CellKind::kMux) return 0;
  return kind == CellKind::kAdd3 ? 2 : 1;
}

std::uint64_t lut_value(const Cell& cell, std::span<const std::uint64_t> values) {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < (std::size_t{1} << cell.inputs.size()); ++i) {
    if (((cell.init >> i) & 1U) == 0) continue;
    std::uint64_t here = ~std::uint64_t{0};
    for (std::size_t v = 0; v < cell.inputs.size(); ++v) {
      here &= ((i >> v) & 1U) != 0 ? values[cell.inputs[v]] : ~values[cell.inputs[v]];
    }
    result |= here;
  }
  return result;
}

std::uint64_t table_value(const Cell& cell, std::size_t column, std::span<const std::uint64_t> values) {
  Cell lut;
  lut.inputs = cell.inputs;
  lut.init = cell.tables[column];
  return lut_value(lut, values);
}

/// Ripples sums through the columns, as the carry chain does.
void execute_adder(const Cell& cell, std::vector<std::uint64_t>& values) {
  std::uint64_t carry = cell.carries.empty() ? 0 : values[cell.carries[0]];
  std::uint64_t majority = cell.carries.size() > 1 ? values[cell.carries[1]] : 0;
  for (std::size_t i = 0; i < std::max(cell.a.size(), cell.outputs.size()); ++i) {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    if (i < cell.a.size()) {
      a = values[cell.a[i]];
      b = cell.kind == CellKind::kAddLookup ? table_value(cell, i, values) : values[cell.b[i]];
      if (cell.kind == CellKind::kAdd3) c = values[cell.c[i]];
    }
    const std::uint64_t sum = a ^ b ^ c;
    const std::uint64_t total = sum ^ majority ^ carry;
    carry = ((sum ^ majority) & carry) | (sum & majority);
    majority = (a & b) | (a & c) | (b & c);
    if (cell.kind != CellKind::kAdd3) {  // one chain: the majority is the carry itself
      carry |= majority;
      majority = 0;
    }
    if (i < cell.outputs.size()) values[cell.outputs[i]] = total;
  }
}

}  // namespace

std::uint32_t half_luts(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kLut:
      return cell.inputs.size() <= 5 ? 1 : 2;
    case CellKind::kMux:
      return 0;
    case CellKind::kAdd2:
    case CellKind::kAddLookup:
    case CellKind::kAdd3:
      return 2 * static_cast<std::uint32_t>(cell.a.size());
  }
  return 0;
}

std::vector<Net> nets_read(const Cell& cell) {
  std::vector<Net> nets = cell.inputs;
  for (const auto* operand : {&cell.a, &cell.b, &cell.c, &cell.carries}) {
    nets.insert(nets.end(), operand->begin(), operand->end());
  }
  return nets;
}

Netlist::Netlist() : timing_(2), names_(2) {}

Net Netlist::add_net(const std::string& word, Timing timing) {
  const auto [found, added] =
      word_sizes_.try_emplace(word, static_cast<std::uint32_t>(words_.size()), std::uint32_t{0});
  if (added) words_.push_back(word);
  timing_.push_back(timing);
  names_.push_back({found->second.first, found->second.second++});
  return net_count() - 1;
}

std::vector<Net> Netlist::add_input(const std::string& name, std::uint32_t width, Timing timing) {
  std::vector<Net> nets;
  for (std::uint32_t i = 0; i < width; ++i) nets.push_back(add_net(name, timing));
  inputs_.insert(inputs_.end(), nets.begin(), nets.end());
  return nets;
}

void Netlist::set_outputs(std::vector<Net> outputs, std::uint32_t stage) {
  outputs_ = std::move(outputs);
  output_stage_ = stage;
}

Timing Netlist::after(std::uint32_t stage, std::span<const Net> nets, std::uint32_t levels) const {
  Timing result{.stage = stage};
  for (const Net net : nets) {
    if (net <= kNetOne) continue;
    KANTRIG_ASSERT(timing_[net].stage <= stage);
    if (timing_[net].stage < stage) continue;
    result.level = std::max(result.level, timing_[net].level);
    result.behind_chain = result.behind_chain || timing_[net].behind_chain;
  }
  result.level += levels;
  return result;
}

Net Netlist::add_lut(std::uint32_t stage, std::span<const Net> inputs, std::uint64_t init,
                     const std::string& word) {
  std::vector<Net> nets(inputs.begin(), inputs.end());
  const auto [found, added] = luts_.try_emplace({{stage, nets}, init}, kNetZero);
  if (!added) return found->second;
  const Net output = add_net(word, after(stage, nets, levels_of(CellKind::kLut)));
  found->second = output;
  cells_.push_back({.kind = CellKind::kLut,
                    .stage = stage,
                    .inputs = std::move(nets),
                    .init = init,
                    .a = {},
                    .b = {},
                    .c = {},
                    .tables = {},
                    .carries = {},
                    .outputs = {output}});
  return output;
}

Net Netlist::add_mux(std::uint32_t stage, Net low, Net high, Net select, const std::string& word) {
  std::vector<Net> nets{low, high, select};
  const Net output = add_net(word, after(stage, nets, levels_of(CellKind::kMux)));
  cells_.push_back({.kind = CellKind::kMux,
                    .stage = stage,
                    .inputs = std::move(nets),
                    .init = 0,
                    .a = {},
                    .b = {},
                    .c = {},
                    .tables = {},
                    .carries = {},
                    .outputs = {output}});
  return output;
}

std::vector<Net> Netlist::add_adder(Cell cell, std::uint32_t output_count, const std::string& word) {
  Timing timing = after(cell.stage, nets_read(cell), levels_of(cell.kind));
  timing.behind_chain = true;
  for (std::uint32_t i = 0; i < output_count; ++i) cell.outputs.push_back(add_net(word, timing));
  std::vector<Net> outputs = cell.outputs;
  cells_.push_back(std::move(cell));
  return outputs;
}

void Netlist::remove_dead_cells() {
  std::vector<bool> used(net_count(), false);
  for (const Net net : outputs_) used[net] = true;
  std::vector<bool> alive(cells_.size(), false);
  for (std::size_t i = cells_.size(); i-- > 0;) {
    alive[i] = std::ranges::any_of(cells_[i].outputs, [&](Net net) { return used[net]; });
    if (!alive[i]) continue;
    for (const Net net : nets_read(cells_[i])) used[net] = true;
  }
  std::vector<Cell> kept;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (alive[i]) kept.push_back(std::move(cells_[i]));
  }
  cells_ = std::move(kept);
}

std::uint32_t Netlist::levels_max() const {
  std::uint32_t most = 0;
  for (const Cell& cell : cells_) most = std::max(most, timing_[cell.outputs[0]].level);
  return most;
}

bool Netlist::has_chains_in_series() const {
  return std::ranges::any_of(cells_, [&](const Cell& cell) {
    if (cell.a.empty()) return false;
    const std::vector<Net> nets = nets_read(cell);
    return std::ranges::any_of(nets, [&](Net net) {
      return net > kNetOne && timing_[net].stage == cell.stage && timing_[net].behind_chain;
    });
  });
}

std::uint32_t Netlist::carry_bits_max() const {
  std::size_t most = 0;
  for (const Cell& cell : cells_) most = std::max(most, cell.a.size());
  return static_cast<std::uint32_t>(most);
}

std::vector<std::uint32_t> Netlist::last_uses() const {
  std::vector<std::uint32_t> last(net_count());
  for (Net net = 0; net < net_count(); ++net) last[net] = timing_[net].stage;
  for (const Cell& cell : cells_) {
    for (const Net net : nets_read(cell)) last[net] = std::max(last[net], cell.stage);
  }
  for (const Net net : outputs_) last[net] = std::max(last[net], output_stage_);
  last[kNetZero] = last[kNetOne] = 0;
  return last;
}

std::uint32_t Netlist::register_count() const {
  const std::vector<std::uint32_t> last = last_uses();
  std::uint32_t count = 0;
  for (Net net = kNetOne + 1; net < net_count(); ++net) count += last[net] - timing_[net].stage;
  return count;
}

std::vector<std::uint64_t> Netlist::execute(std::span<const std::uint64_t> inputs) const {
  KANTRIG_ASSERT(inputs.size() == inputs_.size());
  std::vector<std::uint64_t> values(net_count(), 0);
  values[kNetOne] = ~std::uint64_t{0};
  for (std::size_t i = 0; i < inputs.size(); ++i) values[inputs_[i]] = inputs[i];
  for (const Cell& cell : cells_) {
    if (cell.kind == CellKind::kLut) {
      values[cell.outputs[0]] = lut_value(cell, values);
    } else if (cell.kind == CellKind::kMux) {
      const std::uint64_t select = values[cell.inputs[2]];
      values[cell.outputs[0]] = (values[cell.inputs[1]] & select) | (values[cell.inputs[0]] & ~select);
    } else {
      execute_adder(cell, values);
    }
  }
  std::vector<std::uint64_t> results;
  for (const Net net : outputs_) results.push_back(values[net]);
  return results;
}

}  // namespace kantrig::compiler
