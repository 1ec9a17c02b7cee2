#include "synth/figures.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "synth/arrival.hpp"
#include "synth/cells.hpp"

namespace kantrig::synth {
namespace {

constexpr std::uint32_t kCarry8Positions = 8;

bool is_carry(const Cell& cell) {
  return cell_type(cell.type).kind == CellKind::kCarry;
}

/// The carry cell below, or kNoCell.
std::uint32_t carry_below(const Netlist& netlist, const std::vector<Driver>& drivers, const Cell& cell) {
  const Pin* const carry_in = cell.find("CI");
  if (carry_in == nullptr || carry_in->nets.empty() || is_constant(carry_in->nets[0])) return kNoCell;
  const Driver& driver = drivers[static_cast<std::size_t>(carry_in->nets[0])];
  if (driver.cell == kNoCell) return kNoCell;
  const Cell& below = netlist.cells[driver.cell];
  return is_carry(below) && below.pins[driver.pin].name == "CO" ? driver.cell : kNoCell;
}

/// Whether a position of a carry cell has anything to add.
bool position_adds(const Cell& cell, std::size_t position) {
  for (const std::string_view name : {"S", "DI", "I0", "I1"}) {
    const Pin* const pin = cell.find(name);
    if (pin != nullptr && position < pin->nets.size() && !is_constant(pin->nets[position])) return true;
  }
  return false;
}

/// From the first position that adds to the last.
std::uint32_t chain_bits(const Netlist& netlist, const std::vector<std::uint32_t>& cells) {
  std::uint32_t position = 0;
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = 0;
  for (const std::uint32_t c : cells) {
    for (std::size_t i = 0; i < cell_type(netlist.cells[c].type).positions; ++i, ++position) {
      if (!position_adds(netlist.cells[c], i)) continue;
      first = std::min(first, position);
      last = position;
    }
  }
  return first == UINT32_MAX ? 0 : last - first + 1;
}

void count_cells(const Netlist& netlist, Figures& figures) {
  for (const Cell& cell : netlist.cells) {
    const CellType type = cell_type(cell.type);
    figures.luts += type.luts;
    figures.dual_output_luts += type.dual_output ? 1 : 0;
    switch (type.kind) {
      case CellKind::kRegister:
        ++figures.ffs;
        break;
      case CellKind::kWideMux7:
        ++figures.f7;
        break;
      case CellKind::kWideMux8:
        ++figures.f8;
        break;
      case CellKind::kShiftRegister:
        figures.srls += type.luts;
        break;
      case CellKind::kMemory:
        figures.memory_luts += type.luts;
        break;
      case CellKind::kOther:
        ++figures.others[cell.type];
        break;
      default:
        break;
    }
  }
}

/// A name that people know the cell's output by.
std::string signal_of(const Netlist& netlist, const Cell& cell) {
  for (const Pin& pin : cell.pins) {
    if (!pin.output || pin.nets.empty() || is_constant(pin.nets[0])) continue;
    const std::vector<std::string>& names = netlist.names[static_cast<std::size_t>(pin.nets[0])];
    if (!names.empty()) return names.front();
  }
  return cell.name;
}

class StageCounter {
 public:
  StageCounter(const Netlist& netlist, Figures& figures)
      : netlist_(netlist), figures_(figures), arrivals_(netlist) {}

  Result<void> run();

 private:
  Result<void> count_outputs();
  Result<void> count_cell(const Cell& cell);
  Result<void> count_chain(const CarryChain& chain);
  StageFigures* stage_of(const Arrival& arrival);
  void end_path(const Arrival& arrival, const std::string& signal, std::uint32_t ffs);

  const Netlist& netlist_;
  Figures& figures_;
  Arrivals arrivals_;
};

/// Grows with what is found: paths of a memory's write side may be longer than the pipeline.
StageFigures* StageCounter::stage_of(const Arrival& arrival) {
  if (arrival.stage == kAnyStage) return nullptr;
  const auto index = static_cast<std::size_t>(arrival.stage);
  if (index >= figures_.stages.size()) figures_.stages.resize(index + 1);
  return &figures_.stages[index];
}

void StageCounter::end_path(const Arrival& arrival, const std::string& signal, std::uint32_t ffs) {
  StageFigures* const stage = stage_of(arrival);
  if (stage == nullptr) return;
  stage->ffs += ffs;
  if (arrival.levels > stage->levels) stage->longest = signal;
  stage->levels = std::max(stage->levels, arrival.levels);
  stage->carry_chains_in_series = std::max(stage->carry_chains_in_series, arrival.carry_chains_in_series);
}

Result<void> StageCounter::count_outputs() {
  std::vector<Net> nets;
  for (const Pin& port : netlist_.ports) {
    if (port.output) nets.insert(nets.end(), port.nets.begin(), port.nets.end());
  }
  const auto arrival = arrivals_.latest(nets, "the outputs");
  if (!arrival) return tl::unexpected(arrival.error());
  figures_.cycles = arrival->stage == kAnyStage ? 0 : static_cast<std::uint32_t>(arrival->stage);
  figures_.stages.resize(figures_.cycles + 1);
  end_path(*arrival, "the outputs", 0);
  return {};
}

Result<void> StageCounter::count_cell(const Cell& cell) {
  const CellType type = cell_type(cell.type);
  if (type.kind == CellKind::kRegister || type.kind == CellKind::kShiftRegister) {
    const auto arrival = arrivals_.latest(sampled_nets(cell), cell.name);
    if (!arrival) return tl::unexpected(arrival.error());
    end_path(*arrival, signal_of(netlist_, cell), type.kind == CellKind::kRegister ? 1 : 0);
    return {};
  }
  if (type.kind != CellKind::kLut) return {};
  std::vector<Net> outputs;
  for (const Pin& pin : cell.pins) {
    if (pin.output) outputs.insert(outputs.end(), pin.nets.begin(), pin.nets.end());
  }
  const auto arrival = arrivals_.latest(outputs, cell.name);
  if (!arrival) return tl::unexpected(arrival.error());
  if (StageFigures* const stage = stage_of(*arrival)) stage->luts += type.luts;
  return {};
}

Result<void> StageCounter::count_chain(const CarryChain& chain) {
  std::vector<Net> outputs;
  for (const Pin& pin : netlist_.cells[chain.cells.back()].pins) {
    if (pin.output) outputs.insert(outputs.end(), pin.nets.begin(), pin.nets.end());
  }
  const auto arrival = arrivals_.latest(outputs, netlist_.cells[chain.cells.back()].name);
  if (!arrival) return tl::unexpected(arrival.error());
  if (StageFigures* const stage = stage_of(*arrival))
    stage->carry_bits = std::max(stage->carry_bits, chain.bits);
  return {};
}

Result<void> StageCounter::run() {
  if (auto ok = count_outputs(); !ok) return ok;
  for (const Cell& cell : netlist_.cells) {
    if (auto ok = count_cell(cell); !ok) return ok;
  }
  for (const CarryChain& chain : carry_chains(netlist_)) {
    if (auto ok = count_chain(chain); !ok) return ok;
  }
  return {};
}

std::uint32_t carries_of(const Netlist& netlist) {
  std::uint32_t carries = 0;
  for (const CarryChain& chain : carry_chains(netlist)) {
    std::uint32_t positions = 0;
    std::uint32_t largest = 0;
    for (const std::uint32_t c : chain.cells) {
      const std::uint32_t own = cell_type(netlist.cells[c].type).positions;
      positions += own;
      largest = std::max(largest, own);
    }
    carries += largest == 1 ? positions : (positions + kCarry8Positions - 1) / kCarry8Positions;
  }
  return carries;
}

template <typename Member>
std::uint32_t largest(const std::vector<StageFigures>& stages, Member member) {
  std::uint32_t found = 0;
  for (const StageFigures& stage : stages) found = std::max(found, stage.*member);
  return found;
}

}  // namespace

std::vector<CarryChain> carry_chains(const Netlist& netlist) {
  const std::vector<Driver> drivers = drivers_of(netlist);
  std::vector<std::uint32_t> above(netlist.cells.size(), kNoCell);
  std::vector<std::uint32_t> heads;
  for (std::uint32_t c = 0; c < netlist.cells.size(); ++c) {
    if (!is_carry(netlist.cells[c])) continue;
    const std::uint32_t below = carry_below(netlist, drivers, netlist.cells[c]);
    // A second cell on the same carry cannot be placed in the column: it begins a chain of its own.
    if (below == kNoCell || above[below] != kNoCell) {
      heads.push_back(c);
    } else {
      above[below] = c;
    }
  }
  std::vector<CarryChain> chains;
  for (const std::uint32_t head : heads) {
    CarryChain chain;
    for (std::uint32_t c = head; c != kNoCell; c = above[c]) chain.cells.push_back(c);
    chain.bits = chain_bits(netlist, chain.cells);
    chains.push_back(std::move(chain));
  }
  return chains;
}

Result<Figures> figures_of(const Netlist& netlist) {
  Figures figures;
  count_cells(netlist, figures);
  figures.carries = carries_of(netlist);
  if (auto ok = StageCounter(netlist, figures).run(); !ok) return tl::unexpected(ok.error());
  return figures;
}

std::uint32_t Figures::levels_max() const noexcept {
  return largest(stages, &StageFigures::levels);
}

std::uint32_t Figures::carry_chains_in_series_max() const noexcept {
  return largest(stages, &StageFigures::carry_chains_in_series);
}

std::uint32_t Figures::carry_bits_max() const noexcept {
  return largest(stages, &StageFigures::carry_bits);
}

}  // namespace kantrig::synth
