// Recovery of card.hpp: letting go of a device in trouble, and bringing it back.
#include "apps/kantrig-card/card.hpp"
#include "apps/kantrig-card/reset_command.hpp"

namespace kantrig::card_host {

void Card::give_up(const Fault& fault) {
  if (!remembered_) remembered_ = models_;
  models_.clear();
  changed_();
  station_.reset();
  std::shared_ptr<Station> idle;
  if (link_) {
    if (auto made = Station::create(link_, nullptr)) idle = std::move(*made);
  }
  const CallWatch::Call call(watch_, "closing the card after a fault", options_.call_limit_ns);
  // As long as it takes: a thread that hangs in a call ends the process.
  while (!runner_.wait(runner_.give({.kind = Order::Kind::kAbandon, .station = idle, .routes = nullptr}),
                       options_.call_limit_ns, Runner::Faults::kIgnore)) {
  }
  close_fabric();
  device_.reset();
  // Nothing of ours is left that the device could write to: the slots may go back.
  station_ = idle;
  const bool timed_out = fault.kind == FaultKind::kTimeout;
  const std::uint64_t answered =
      runner_.give({.kind = Order::Kind::kAnswer,
                    .station = idle,
                    .routes = nullptr,
                    .status = timed_out ? card_link::SlotStatus::kTimeout : card_link::SlotStatus::kFailed,
                    .error = static_cast<std::uint32_t>(fault.error)});
  (void)runner_.wait(answered, options_.call_limit_ns, Runner::Faults::kIgnore);
  (void)runner_.faults().take();  // what else went wrong with the device that is closed now
}

DeviceResult<void> Card::bring_back(Reset reset) {
  if (reset == Reset::kYes) {
    const CallWatch::Call call(watch_, "resetting the card", options_.load_limit_ns * 2);
    const std::string address = name().address;
    device_.reset();
    if (auto ok = run_reset_command(options_.reset_command, address, options_.load_limit_ns); !ok) return ok;
    figures_.supervisor.resets.add(1);
  }
  if (auto ok = open(); !ok) return ok;
  if (remembered_) {
    if (auto ok = load_all(*remembered_); !ok) return ok;
  }
  if (auto ok = make_station(); !ok) return ok;
  publish();
  remembered_.reset();
  return {};
}

}  // namespace kantrig::card_host
