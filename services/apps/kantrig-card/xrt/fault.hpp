// Fault: what a device, its driver or XRT did wrong, and of which kind. DeviceResult: how a call into XRT
// ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kantrig::card_host {

/// What is to be done about it follows from the kind; metrics count by it.
enum class FaultKind : std::uint8_t {
  kTimeout,   // a run or a command did not end in time
  kIo,        // EIO and the like: the device answers wrongly
  kLost,      // ENODEV, ENXIO: the device is gone
  kBusy,      // EBUSY: somebody else holds it, or part of it
  kFirewall,  // registers read all ones, or a run was ended by the card: an AXI firewall has tripped
  kMemory,    // no memory of the host or of the card
  kGolden,    // golden vectors came back wrong
  kRefused,   // EINVAL, EPERM, ...: XRT does not take what it was given
  kNotSetUp,  // XRT itself cannot be used: a library or permission is missing
};
inline constexpr std::size_t kFaultKinds = 9;

/// "timeout", "io", "lost", ...: the metric's label.
[[nodiscard]] std::string_view name_of(FaultKind kind) noexcept;

struct Fault {
  FaultKind kind = FaultKind::kIo;
  int error = 0;  // errno; 0: XRT gave none
  std::string message;

  [[nodiscard]] Error to_error() const;
  /// The same fault, told from further out.
  [[nodiscard]] Fault within(std::string_view context) const;
};

template <typename T>
using DeviceResult = tl::expected<T, Fault>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Fault> fault(FaultKind kind, fmt::format_string<Args...> format,
                                          Args&&... args) {
  return tl::unexpected<Fault>(Fault{kind, 0, fmt::format(format, std::forward<Args>(args)...)});
}

/// Which kind an errno is of.
[[nodiscard]] FaultKind kind_of(int error) noexcept;
/// The errno that `message` ends in or quotes, as XRT writes what the system said; 0: none that we know.
[[nodiscard]] int errno_in(std::string_view message) noexcept;

}  // namespace kantrig::card_host
