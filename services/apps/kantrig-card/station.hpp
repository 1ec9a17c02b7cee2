// Station: where slots of one joining meet the compute units of one loading: a run over each slot's memory,
// made once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "apps/kantrig-card/xrt/fabric.hpp"
#include "card_link/doorbell.hpp"
#include "card_link/port.hpp"
#include "card_link/region.hpp"

namespace kantrig::card_host {

/// What a daemon brought when it joined.
struct Link {
  Link(std::shared_ptr<card_link::Region> memory, card_link::Doorbell bell)
      : region(std::move(memory)), card(std::move(bell)) {}
  std::shared_ptr<card_link::Region> region;
  card_link::Doorbell card;  // wakes us
  std::vector<std::unique_ptr<card_link::CardPort>> ports;
};

inline constexpr std::size_t kUnitsMax = 64;
inline constexpr std::size_t kRunsMax =
    4096;  // of a station: slots times units, where any unit may take any slot

/// Made and destroyed by the supervisor's thread. Its runs are started by the taking thread and ended by the
/// completing one, its counts as their comments say.
class Station {
 public:
  /// Without `fabric` there are no runs, and every slot comes back as not loaded.
  [[nodiscard]] static DeviceResult<std::shared_ptr<Station>> create(std::shared_ptr<Link> link,
                                                                     std::shared_ptr<const Fabric> fabric);

  [[nodiscard]] Link& link() const noexcept { return *link_; }
  [[nodiscard]] const std::shared_ptr<Link>& shared_link() const noexcept { return link_; }
  [[nodiscard]] const Fabric* fabric() const noexcept { return fabric_.get(); }

  struct Choice {
    Run* run = nullptr;
    std::uint32_t unit = 0;
  };
  /// The run of this slot on the unit that has least to do. Taking thread.
  [[nodiscard]] Choice choose(std::uint32_t port, std::uint32_t slot) noexcept;
  [[nodiscard]] const Buffer& input(std::uint32_t port, std::uint32_t slot) const noexcept {
    return slot_at(port, slot).input;
  }
  [[nodiscard]] const Buffer& output(std::uint32_t port, std::uint32_t slot) const noexcept {
    return slot_at(port, slot).output;
  }

  struct Unit {
    std::atomic<std::uint32_t> runs{0};  // in flight: up by the taking, down by the completing thread
    std::uint64_t progress_ns = 0;       // when a run of it ended last; completing thread
    std::uint32_t axi_errors = 0;        // as its register read last; completing thread
  };
  [[nodiscard]] Unit& unit(std::uint32_t number) noexcept { return units_[number]; }

 private:
  struct Slot {
    Buffer input, output;
    std::vector<Run> runs;         // one a unit, or one
    std::uint32_t first_unit = 0;  // of runs.front()
  };
  Station(std::shared_ptr<Link> link, std::shared_ptr<const Fabric> fabric)
      : link_(std::move(link)), fabric_(std::move(fabric)) {}
  [[nodiscard]] const Slot& slot_at(std::uint32_t port, std::uint32_t slot) const noexcept {
    return slots_[std::size_t{port} * link_->region->shape().slots + slot];
  }
  [[nodiscard]] DeviceResult<void> make_slots();
  [[nodiscard]] DeviceResult<Slot> make_slot(std::uint32_t port, std::uint32_t slot, bool any_unit) const;

  std::shared_ptr<Link> link_;
  std::shared_ptr<const Fabric> fabric_;
  std::vector<Slot> slots_;  // destroyed before what they use
  std::unique_ptr<Unit[]> units_;
};

}  // namespace kantrig::card_host
