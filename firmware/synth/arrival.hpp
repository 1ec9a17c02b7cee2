// Arrivals: what lies behind a signal, back to the registers or inputs that it comes from.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "synth/netlist.hpp"

namespace kantrig::synth {

inline constexpr std::int32_t kAnyStage = -1;

struct Arrival {
  std::int32_t stage = kAnyStage;  // registers since the inputs; kAnyStage for what no event decides
  std::uint32_t levels = 0;        // LUTs since the last register
  std::uint32_t carry_chains_in_series = 0;  // since the last register
};

/// Where each net comes from.
struct Driver {
  std::uint32_t cell = 0;  // index into netlist.cells
  std::uint32_t pin = 0;   // index into Cell::pins
  std::uint32_t bit = 0;
};
inline constexpr std::uint32_t kNoCell = UINT32_MAX;  // an input of the module, or nothing

[[nodiscard]] std::vector<Driver> drivers_of(const Netlist& netlist);

/// Walks a netlist backwards, remembering what it has seen.
class Arrivals {
 public:
  explicit Arrivals(const Netlist& netlist);

  [[nodiscard]] Result<Arrival> at(Net net);
  /// The latest of `nets`. Fails when they come from different stages; `cell` is named then.
  [[nodiscard]] Result<Arrival> latest(const std::vector<Net>& nets, const std::string& cell);

 private:
  enum class State : std::uint8_t { kNew, kOpen, kDone };

  [[nodiscard]] Result<Arrival> compute(Net net);
  [[nodiscard]] Result<Arrival> through_carry(const Cell& cell, const Driver& driver);
  [[nodiscard]] Result<Arrival> through_shift_register(const Cell& cell);
  [[nodiscard]] bool is_carry_out(Net net) const;

  const Netlist& netlist_;
  std::vector<Driver> drivers_;
  std::vector<Arrival> known_;
  std::vector<State> state_;
};

/// Pins that a register (not its clock) or memory (its write side) samples.
[[nodiscard]] std::vector<Net> sampled_nets(const Cell& cell);

}  // namespace kantrig::synth
