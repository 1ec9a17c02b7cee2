#include "apps/kantrig-card/station.hpp"

namespace kantrig::card_host {

DeviceResult<std::shared_ptr<Station>> Station::create(std::shared_ptr<Link> link,
                                                       std::shared_ptr<const Fabric> fabric) {
  std::shared_ptr<Station> station(new Station(std::move(link), std::move(fabric)));
  if (station->fabric_ == nullptr) return station;
  if (auto ok = station->make_slots(); !ok) return tl::unexpected<Fault>(ok.error());
  return station;
}

DeviceResult<void> Station::make_slots() {
  const std::size_t units = fabric_->compute_units();
  if (units > kUnitsMax)
    return fault(FaultKind::kRefused, "xclbin: {} compute units, expected at most {}", units, kUnitsMax);
  units_ = std::make_unique<Unit[]>(units);
  for (std::size_t unit = 0; unit < units; ++unit) {
    const auto errors = fabric_->read_register(unit, card::offset_of("axi_errors"));
    if (!errors) return tl::unexpected<Fault>(errors.error());
    units_[unit].axi_errors = *errors;
  }
  const card_link::RegionShape& shape = link_->region->shape();
  const bool any_unit =
      fabric_->shares_memory() && std::size_t{shape.ports} * shape.slots * units <= kRunsMax;
  for (std::uint32_t port = 0; port < shape.ports; ++port) {
    for (std::uint32_t slot = 0; slot < shape.slots; ++slot) {
      auto made = make_slot(port, slot, any_unit);
      if (!made) return tl::unexpected<Fault>(made.error().within("buffers of the daemon's slots"));
      slots_.push_back(std::move(*made));
    }
  }
  return {};
}

DeviceResult<Station::Slot> Station::make_slot(std::uint32_t port, std::uint32_t slot, bool any_unit) const {
  const auto units = static_cast<std::uint32_t>(fabric_->compute_units());
  Slot made;
  made.first_unit =
      any_unit
          ? 0
          : static_cast<std::uint32_t>((std::size_t{port} * link_->region->shape().slots + slot) % units);
  auto input = fabric_->adopt_memory(made.first_unit, Fabric::Use::kInput, link_->region->input(port, slot));
  if (!input) return tl::unexpected<Fault>(input.error());
  made.input = std::move(*input);
  auto output =
      fabric_->adopt_memory(made.first_unit, Fabric::Use::kOutput, link_->region->output(port, slot));
  if (!output) return tl::unexpected<Fault>(output.error());
  made.output = std::move(*output);
  for (std::uint32_t i = 0; i < (any_unit ? units : 1); ++i) {
    auto run = fabric_->make_run(made.first_unit + i, made.input, made.output);
    if (!run) return tl::unexpected<Fault>(run.error());
    made.runs.push_back(std::move(*run));
  }
  return made;
}

Station::Choice Station::choose(std::uint32_t port, std::uint32_t slot) noexcept {
  Slot& at = slots_[std::size_t{port} * link_->region->shape().slots + slot];
  std::uint32_t best = 0;
  std::uint32_t least = ~0U;
  for (std::uint32_t i = 0; i < at.runs.size(); ++i) {
    // Relaxed: a count that is late only makes a choice that is a little worse.
    const std::uint32_t runs = units_[at.first_unit + i].runs.load(std::memory_order_relaxed);
    if (runs >= least) continue;
    least = runs;
    best = i;
  }
  return {&at.runs[best], at.first_unit + best};
}

}  // namespace kantrig::card_host
