#include "apps/kantrig-card/xrt/fault.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace kantrig::card_host {

std::string_view name_of(FaultKind kind) noexcept {
  static constexpr std::array<std::string_view, kFaultKinds> kNames{
      "timeout", "io", "lost", "busy", "firewall", "memory", "golden", "refused", "not_set_up"};
  return kNames[static_cast<std::size_t>(kind)];
}

Error Fault::to_error() const {
  switch (kind) {
    case FaultKind::kTimeout:
      return {ErrorCode::kTimeout, message};
    case FaultKind::kBusy:
      return {ErrorCode::kBusy, message};
    case FaultKind::kGolden:
      return {ErrorCode::kCorrupt, message};
    case FaultKind::kRefused:
      return {ErrorCode::kInvalid, message};
    case FaultKind::kNotSetUp:
      return {ErrorCode::kUnsupported, message};
    case FaultKind::kIo:
    case FaultKind::kLost:
    case FaultKind::kFirewall:
    case FaultKind::kMemory:
      break;
  }
  return {ErrorCode::kIo, message};
}

Fault Fault::within(std::string_view context) const {
  return {kind, error, fmt::format("{}: {}", context, message)};
}

FaultKind kind_of(int error) noexcept {
  switch (error) {
    case ENODEV:
    case ENXIO:
    case ENOENT:
    case ESHUTDOWN:
      return FaultKind::kLost;
    case EBUSY:
    case EAGAIN:
      return FaultKind::kBusy;
    case ENOMEM:
    case ENOSPC:
      return FaultKind::kMemory;
    case ETIMEDOUT:
    case ETIME:
      return FaultKind::kTimeout;
    case EINVAL:
    case EPERM:
    case EOPNOTSUPP:
    case ERANGE:
      return FaultKind::kRefused;
    case EACCES:
      return FaultKind::kNotSetUp;
    default:
      return FaultKind::kIo;
  }
}

int errno_in(std::string_view message) noexcept {
  static constexpr std::array kKnown{EIO,   ENODEV, ENXIO,     EBUSY,      ENOMEM, ENOSPC, EINVAL,
                                     EPERM, EACCES, ETIMEDOUT, EOPNOTSUPP, EAGAIN, ENOENT};
  for (const int error : kKnown) {
    const char* const text = ::strerrordesc_np(error);
    if (text != nullptr && message.find(text) != std::string_view::npos) return error;
  }
  return 0;
}

}  // namespace kantrig::card_host
