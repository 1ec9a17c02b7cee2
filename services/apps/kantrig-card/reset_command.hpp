// The command that resets a device. XRT's public API has none: what resets is a program, xbutil or the site's
// own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "apps/kantrig-card/xrt/fault.hpp"

namespace kantrig::card_host {

/// Runs `command` by the shell, "{device}" in it replaced by `device`, and waits for its end. It is killed
/// after `limit_ns`. Precondition: the device is closed, for a reset closes it under whoever holds it.
[[nodiscard]] DeviceResult<void> run_reset_command(const std::string& command, std::string_view device,
                                                   std::uint64_t limit_ns);

}  // namespace kantrig::card_host
