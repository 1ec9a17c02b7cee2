// Why the circuit breaker of a card opens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/card/card_seat.hpp"
#include "control/card_supervisor.hpp"

namespace kantrig::control {

/// The place in kOpenReasonNames and CardFigures::opened.
enum class OpenReason : std::uint8_t {
  kAbsent,
  kRefused,
  kLost,
  kHeartbeat,
  kLoadTimeout,
  kDeadline,
  kSlotFailed,
  kCanary,
  kCrossCheck,
  kProtocol,
};
inline constexpr std::array<std::string_view, 10> kOpenReasonNames{
    "absent",   "refused",     "lost",   "heartbeat",   "load_timeout",
    "deadline", "slot_failed", "canary", "cross_check", "protocol"};
static_assert(kOpenReasonNames.size() == std::size(CardFigures{}.opened));

[[nodiscard]] inline OpenReason reason_of(backend::Trouble trouble) noexcept {
  switch (trouble) {
    case backend::Trouble::kDeadline:
      return OpenReason::kDeadline;
    case backend::Trouble::kSlotFailed:
      return OpenReason::kSlotFailed;
    case backend::Trouble::kCanary:
      return OpenReason::kCanary;
    case backend::Trouble::kCrossCheck:
      return OpenReason::kCrossCheck;
    case backend::Trouble::kProtocol:
      return OpenReason::kProtocol;
    case backend::Trouble::kNone:
      break;
  }
  return OpenReason::kLost;
}

}  // namespace kantrig::control
