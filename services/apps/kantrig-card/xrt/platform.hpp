// Names of platforms: a device, an xclbin and a bundle each spell the shell's in their own way.
#pragma once

#include <string>
#include <string_view>

namespace kantrig::card_host {

/// As bundles name their files: letters, digits and underscores; ':', '.' and '-' become '_', "_shell" is
/// left out. "xilinx_u250_gen3x16_xdma_shell_4_1" is xilinx_u250_gen3x16_xdma_4_1.
[[nodiscard]] std::string platform_named(std::string_view device);
[[nodiscard]] bool same_platform(std::string_view a, std::string_view b);

}  // namespace kantrig::card_host
