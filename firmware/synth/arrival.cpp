#include "synth/arrival.hpp"

#include <algorithm>
#include <string_view>

#include "synth/cells.hpp"
#include "synth/lut_inputs.hpp"

namespace kantrig::synth {
namespace {

bool is_clock(std::string_view pin) {
  return pin == "C" || pin == "CLK" || pin == "WCLK";
}

/// An overlay's words for its tables, which belong to no event: what they set stands still for one.
bool is_configuration(std::string_view port) {
  return port.starts_with("table_");
}

/// Which inputs of a memory its output `output` is read by: DOA by ADDRA, DPO by DPRA0.., SPO and O by A0...
bool reads(std::string_view output, std::string_view input) {
  if (output.starts_with("DO")) return input.starts_with("ADDR") && input.back() == output.back();
  if (output == "DPO") return input.starts_with("DPRA");
  return input.size() <= 2 && input.front() == 'A';
}

/// The inputs that decide the driver's output in the same cycle.
std::vector<Net> combinational_inputs(const Cell& cell, const Driver& driver, CellKind kind) {
  const Pin& output = cell.pins[driver.pin];
  if (kind == CellKind::kLut) return lut_inputs(cell, output);
  std::vector<Net> nets;
  for (const Pin& pin : cell.pins) {
    if (pin.output || (kind == CellKind::kMemory && !reads(output.name, pin.name))) continue;
    nets.insert(nets.end(), pin.nets.begin(), pin.nets.end());
  }
  return nets;
}

}  // namespace

std::vector<Driver> drivers_of(const Netlist& netlist) {
  std::vector<Driver> drivers(netlist.names.size(), Driver{.cell = kNoCell});
  for (std::uint32_t c = 0; c < netlist.cells.size(); ++c) {
    const std::vector<Pin>& pins = netlist.cells[c].pins;
    for (std::uint32_t p = 0; p < pins.size(); ++p) {
      if (!pins[p].output) continue;
      for (std::uint32_t b = 0; b < pins[p].nets.size(); ++b) {
        const Net net = pins[p].nets[b];
        if (!is_constant(net)) drivers[static_cast<std::size_t>(net)] = {c, p, b};
      }
    }
  }
  return drivers;
}

std::vector<Net> sampled_nets(const Cell& cell) {
  const CellKind kind = cell_type(cell.type).kind;
  std::vector<Net> nets;
  for (const Pin& pin : cell.pins) {
    const bool address = kind == CellKind::kShiftRegister && pin.name.starts_with("A");
    if (pin.output || is_clock(pin.name) || address) continue;
    nets.insert(nets.end(), pin.nets.begin(), pin.nets.end());
  }
  return nets;
}

Arrivals::Arrivals(const Netlist& netlist)
    : netlist_(netlist),
      drivers_(drivers_of(netlist)),
      known_(netlist.names.size()),
      state_(netlist.names.size(), State::kNew) {
  for (const Pin& port : netlist.ports) {
    if (port.output) continue;
    for (const Net net : port.nets) {
      if (is_constant(net)) continue;
      known_[static_cast<std::size_t>(net)].stage = is_configuration(port.name) ? kAnyStage : 0;
      state_[static_cast<std::size_t>(net)] = State::kDone;
    }
  }
}

bool Arrivals::is_carry_out(Net net) const {
  if (is_constant(net)) return false;
  const Driver& driver = drivers_[static_cast<std::size_t>(net)];
  if (driver.cell == kNoCell) return false;
  const Cell& cell = netlist_.cells[driver.cell];
  return cell_type(cell.type).kind == CellKind::kCarry && cell.pins[driver.pin].name == "CO";
}

Result<Arrival> Arrivals::at(Net net) {
  if (is_constant(net)) return Arrival{};
  const auto index = static_cast<std::size_t>(net);
  if (state_[index] == State::kDone) return known_[index];
  if (state_[index] == State::kOpen) {
    return fail(ErrorCode::kUnsupported, "{}: cell {} lies on a loop, expected a pipeline without feedback",
                netlist_.module, netlist_.cells[drivers_[index].cell].name);
  }
  state_[index] = State::kOpen;
  auto arrival = compute(net);
  if (!arrival) return arrival;
  known_[index] = *arrival;
  state_[index] = State::kDone;
  return arrival;
}

Result<Arrival> Arrivals::latest(const std::vector<Net>& nets, const std::string& cell) {
  Arrival latest;
  for (const Net net : nets) {
    const auto arrival = at(net);
    if (!arrival) return arrival;
    if (arrival->stage != kAnyStage && latest.stage != kAnyStage && arrival->stage != latest.stage) {
      return fail(
          ErrorCode::kInvalid,
          "{}: {} mixes two events: of its inputs, some lie {} registers after the module's inputs and "
          "some {}, expected one number",
          netlist_.module, cell, latest.stage, arrival->stage);
    }
    latest.stage = std::max(latest.stage, arrival->stage);
    latest.levels = std::max(latest.levels, arrival->levels);
    latest.carry_chains_in_series = std::max(latest.carry_chains_in_series, arrival->carry_chains_in_series);
  }
  return latest;
}

/// Position i of CO and O stands on S and DI up to i and on what comes from below. A path that enters by the
/// carry of the cell below stays on its chain; any other begins one.
Result<Arrival> Arrivals::through_carry(const Cell& cell, const Driver& driver) {
  std::vector<Net> entering;
  std::vector<Net> chained;
  for (const Pin& pin : cell.pins) {
    if (pin.output) continue;
    const bool carry_in = pin.name == "CI" || pin.name == "CI_TOP";
    for (std::size_t bit = 0; bit < pin.nets.size(); ++bit) {
      if (!carry_in && pin.nets.size() > 1 && bit > driver.bit) break;
      (carry_in && is_carry_out(pin.nets[bit]) ? chained : entering).push_back(pin.nets[bit]);
    }
  }
  auto arrival = latest(entering, cell.name);
  if (!arrival) return arrival;
  if (arrival->stage != kAnyStage) ++arrival->carry_chains_in_series;
  const auto below = latest(chained, cell.name);
  if (!below) return below;
  if (below->stage == kAnyStage) return arrival;
  if (arrival->stage == kAnyStage) return below;
  if (arrival->stage != below->stage) {
    entering.insert(entering.end(), chained.begin(), chained.end());
    return latest(entering, cell.name);  // tells how they differ
  }
  arrival->levels = std::max(arrival->levels, below->levels);
  arrival->carry_chains_in_series = std::max(arrival->carry_chains_in_series, below->carry_chains_in_series);
  return arrival;
}

/// SRL16E and SRLC32E: 1 + A registers, A a constant.
Result<Arrival> Arrivals::through_shift_register(const Cell& cell) {
  std::int32_t length = 1;
  for (const Pin& pin : cell.pins) {
    if (!pin.name.starts_with("A")) continue;
    const std::size_t first = pin.name.size() > 1 ? static_cast<std::size_t>(pin.name[1] - '0') : 0;
    for (std::size_t bit = 0; bit < pin.nets.size(); ++bit) {
      if (!is_constant(pin.nets[bit]))
        return fail(ErrorCode::kUnsupported, "{}: shift register {} has no constant length", netlist_.module,
                    cell.name);
      if (pin.nets[bit] == kOneNet) length += 1 << (first + bit);
    }
  }
  const auto sampled = latest(sampled_nets(cell), cell.name);
  if (!sampled || sampled->stage == kAnyStage) return sampled ? Arrival{} : sampled;
  return Arrival{.stage = sampled->stage + length};
}

Result<Arrival> Arrivals::compute(Net net) {
  const Driver driver = drivers_[static_cast<std::size_t>(net)];
  if (driver.cell == kNoCell) return Arrival{};  // nothing drives it: undefined, as a constant
  const Cell& cell = netlist_.cells[driver.cell];
  const CellKind kind = cell_type(cell.type).kind;
  if (kind == CellKind::kConstant) return Arrival{};
  if (kind == CellKind::kCarry) return through_carry(cell, driver);
  if (kind == CellKind::kShiftRegister) return through_shift_register(cell);
  if (kind == CellKind::kRegister) {
    const auto sampled = latest(sampled_nets(cell), cell.name);
    if (!sampled || sampled->stage == kAnyStage) return sampled ? Arrival{} : sampled;
    return Arrival{.stage = sampled->stage + 1};
  }
  auto arrival = latest(combinational_inputs(cell, driver, kind), cell.name);
  if (arrival && arrival->stage != kAnyStage && (kind == CellKind::kLut || kind == CellKind::kMemory))
    ++arrival->levels;
  return arrival;
}

}  // namespace kantrig::synth
