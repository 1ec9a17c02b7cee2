#include "control/card_status.hpp"

#include <array>
#include <utility>

namespace kantrig::control {
namespace {

constexpr std::array<std::pair<std::string_view, backend::Route>, 3> kRoutes{
    {{"auto", backend::Route::kAuto}, {"cpu", backend::Route::kCpu}, {"card", backend::Route::kCard}}};

}  // namespace

std::string_view name_of(Breaker breaker) noexcept {
  switch (breaker) {
    case Breaker::kOpen:
      return "open";
    case Breaker::kHalfOpen:
      return "half_open";
    case Breaker::kClosed:
      return "closed";
  }
  return "unknown";
}

std::string_view name_of_route(backend::Route route) noexcept {
  for (const auto& [name, known] : kRoutes) {
    if (known == route) return name;
  }
  return "unknown";
}

Result<backend::Route> parse_route(std::string_view name) {
  for (const auto& [known, route] : kRoutes) {
    if (known == name) return route;
  }
  return fail(ErrorCode::kInvalid, "route \"{}\", expected one of auto, cpu, card", name);
}

CardStatus card_status(const CardFigures& figures, std::span<const CardSupervisor::Seat> seats) {
  CardStatus status;
  status.figures = figures;
  double in_flight = 0.0;
  for (const CardSupervisor::Seat& seat : seats) {
    const backend::SeatProbe& probe = seat.seat->probe();
    status.route = seat.seat->route();
    status.shards.push_back(seat.shard);
    status.batches += probe.batches.value();
    status.events += probe.events.value();
    status.slots += probe.slots.value();
    status.taken_over_batches += probe.taken_over_batches.value();
    status.taken_over_events += probe.taken_over_events.value();
    status.passed_over_batches += probe.passed_over_batches.value();
    status.canaries_passed += probe.canaries_passed.value();
    status.canaries_failed += probe.canaries_failed.value();
    status.cross_checked_events += probe.cross_checked_events.value();
    status.cross_check_failures += probe.cross_check_failures.value();
    in_flight += probe.slots_in_flight.value();
  }
  status.slots_in_flight = static_cast<std::uint32_t>(in_flight);
  return status;
}

}  // namespace kantrig::control
