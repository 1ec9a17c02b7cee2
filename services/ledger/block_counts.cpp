#include "ledger/block_counts.hpp"

namespace kantrig::ledger {

std::int64_t Counts::residual() const noexcept {
  // Unsigned wrap-around is meant: the difference is small, whatever the sums are.
  return static_cast<std::int64_t>(received - accepted - rejected - duplicate - malformed - refused -
                                   in_flight);
}

Counts& Counts::operator+=(const Counts& other) noexcept {
  received += other.received;
  accepted += other.accepted;
  rejected += other.rejected;
  duplicate += other.duplicate;
  malformed += other.malformed;
  refused += other.refused;
  in_flight += other.in_flight;
  return *this;
}

std::string_view name_of(BlockClose reason) noexcept {
  switch (reason) {
    case BlockClose::kTimer:
      return "timer";
    case BlockClose::kModel:
      return "model";
    case BlockClose::kMenu:
      return "menu";
    case BlockClose::kColumn:
      return "column";
    case BlockClose::kRun:
      return "run";
    case BlockClose::kStop:
      return "stop";
    case BlockClose::kRestart:
      return "restart";
  }
  return "unknown";
}

}  // namespace kantrig::ledger
