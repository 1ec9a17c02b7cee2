// CardStatus: what operators, metrics and readiness are told of one card.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "backend/card/card_seat.hpp"
#include "base/result.hpp"
#include "control/card_supervisor.hpp"

namespace kantrig::control {

[[nodiscard]] std::string_view name_of(Breaker breaker) noexcept;             // "open", "half_open", "closed"
[[nodiscard]] std::string_view name_of_route(backend::Route route) noexcept;  // "auto", "cpu", "card"
/// The route of that name; the error names all of them.
[[nodiscard]] Result<backend::Route> parse_route(std::string_view name);

/// Sums over the seats of the shards that use the card.
struct CardStatus {
  CardFigures figures;
  backend::Route route = backend::Route::kAuto;
  std::vector<std::uint32_t> shards;
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t slots = 0;
  std::uint32_t slots_in_flight = 0;
  std::uint64_t taken_over_batches = 0;
  std::uint64_t taken_over_events = 0;
  std::uint64_t passed_over_batches = 0;
  std::uint64_t canaries_passed = 0;
  std::uint64_t canaries_failed = 0;
  std::uint64_t cross_checked_events = 0;
  std::uint64_t cross_check_failures = 0;
};

/// `seats`: those that the supervisor looks after.
[[nodiscard]] CardStatus card_status(const CardFigures& figures, std::span<const CardSupervisor::Seat> seats);

}  // namespace kantrig::control
