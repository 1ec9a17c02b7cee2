#include "wire/messages.hpp"

#include <array>

namespace kantrig::wire {
namespace {

constexpr std::array<std::string_view, kReasonCount> kReasonNames{
    "none",         "header",     "protocol_version", "encoding",     "feature_count", "event_count",
    "payload_size", "not_finite", "source_unknown",   "not_welcomed", "sequence_gap",  "sequence_old",
    "credit",       "no_run",     "run_mismatch",     "lane_limit"};
static_assert(!kReasonNames.back().empty());

}  // namespace

std::string_view name_of(Reason reason) noexcept {
  const auto index = static_cast<std::size_t>(reason);
  return index < kReasonNames.size() ? kReasonNames[index] : "unknown";
}

std::string_view name_of(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::kFloat32:
      return "float32";
    case Encoding::kCode8:
      return "code8";
    case Encoding::kCode16:
      return "code16";
    case Encoding::kUnspecified:
      break;
  }
  return "unspecified";
}

std::string_view name_of(Path path) noexcept {
  switch (path) {
    case Path::kCpu:
      return "cpu";
    case Path::kFpga:
      return "fpga";
    case Path::kUnspecified:
      break;
  }
  return "none";
}

bool is_passing(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNotWelcomed:
    case Reason::kSequenceGap:
    case Reason::kCredit:
    case Reason::kNoRun:
      return true;
    default:
      return false;
  }
}

}  // namespace kantrig::wire
