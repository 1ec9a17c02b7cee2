// What is printed from the register map: for people, for SystemVerilog, for the packager and for XRT.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kantrig::card {

/// How a host starts a kernel and learns that it has ended.
enum class Protocol : std::uint8_t { kHandshake, kChain };

[[nodiscard]] std::string_view protocol_name(Protocol protocol) noexcept;  // "ap_ctrl_hs", "ap_ctrl_chain"
[[nodiscard]] std::optional<Protocol> protocol_named(std::string_view name) noexcept;

/// registers.md
[[nodiscard]] std::string registers_markdown();
/// firmware/rtl/kan_register_pkg.sv
[[nodiscard]] std::string registers_systemverilog();
/// kernel.xml for package_xo (UG1393, RTL kernel XML file)
[[nodiscard]] std::string kernel_xml(Protocol protocol);

/// Where v++ placed one instance of the kernel.
struct Instance {
  std::string_view name = "kan_kernel_1";
  std::uint64_t base = 0x180'0000;
  std::uint32_t clock_mhz = 300;
};
/// The section EMBEDDED_METADATA of an xclbin that holds these instances, at least one.
[[nodiscard]] std::string embedded_metadata(Protocol protocol, std::span<const Instance> instances);

}  // namespace kantrig::card
