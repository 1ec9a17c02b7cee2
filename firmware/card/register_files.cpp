#include "card/register_files.hpp"

#include <fmt/core.h>

#include "card/registers.hpp"

namespace kantrig::card {
namespace {

constexpr std::string_view kVlnv = "kantrig:kernel:kan_kernel:1.0";
constexpr std::string_view kMarkdownHeader =
    "# Registers of kan_kernel\n\n"
    "Printed by `kanc registers --format markdown` from registers.hpp; do not edit.\n\n"
    "All are 32 bits wide; longer ones are several words, the lowest first. Reading the lower word of a "
    "64-bit\n"
    "counter keeps its upper word for the next read of an upper word, so that the two belong together. "
    "Counters\n"
    "run since reset and are never cleared: take differences. Arguments are taken when a run is accepted. "
    "What\n"
    "is not listed reads 0 and ignores writes.\n\n"
    "| offset | name | bytes | access | meaning |\n| --- | --- | --- | --- | --- |\n";

std::string_view access_name(Access access) {
  switch (access) {
    case Access::kRead:
      return "R";
    case Access::kWrite:
      return "W";
    case Access::kReadWrite:
      return "RW";
  }
  return "";
}

/// table_first -> TableFirst
std::string camel_case(std::string_view name) {
  std::string text;
  bool upper = true;
  for (const char letter : name) {
    if (letter == '_') {
      upper = true;
      continue;
    }
    text += upper && letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    upper = false;
  }
  return text;
}

const Register& register_of(const Argument& argument) {
  for (const Register& entry : kRegisters) {
    if (entry.name == argument.name) return entry;
  }
  return kRegisters.front();  // not reached: a static_assert below looks
}

consteval bool every_argument_has_a_register() {
  for (const Argument& argument : kArguments) {
    const Register& entry = register_named(argument.name);
    if (entry.bytes != (argument.in_memory ? 8U : 4U)) return false;
  }
  return true;
}
static_assert(every_argument_has_a_register());

consteval bool registers_ascend_inside_the_range() {
  std::uint32_t end = 0;
  for (const Register& entry : kRegisters) {
    if (entry.offset < end || entry.offset % 4 != 0 || entry.bytes % 4 != 0) return false;
    end = entry.offset + entry.bytes;
  }
  return end <= kRegisterRangeBytes;
}
static_assert(registers_ascend_inside_the_range());

std::string ports_xml(std::string_view indent) {
  return fmt::format(
      "{0}<port name=\"s_axi_control\" mode=\"slave\" range=\"0x{1:X}\" dataWidth=\"32\" "
      "portType=\"addressable\" base=\"0x0\"/>\n"
      "{0}<port name=\"m_axi_gmem\" mode=\"master\" range=\"0xFFFFFFFFFFFFFFFF\" dataWidth=\"{2}\" "
      "portType=\"addressable\" base=\"0x0\"/>\n",
      indent, kRegisterRangeBytes, 8 * kMemoryWordBytes);
}

std::string arguments_xml(std::string_view indent) {
  std::string text;
  for (std::size_t id = 0; id < kArguments.size(); ++id) {
    const Argument& argument = kArguments[id];
    const Register& entry = register_of(argument);
    text += fmt::format(
        "{}<arg name=\"{}\" addressQualifier=\"{}\" id=\"{}\" port=\"{}\" size=\"0x{:X}\" offset=\"0x{:X}\" "
        "hostOffset=\"0x0\" hostSize=\"0x{:X}\" type=\"{}\"/>\n",
        indent, argument.name, argument.in_memory ? 1 : 0, id,
        argument.in_memory ? "m_axi_gmem" : "s_axi_control", entry.bytes, entry.offset, entry.bytes,
        argument.type);
  }
  return text;
}

std::string kernel_attributes(Protocol protocol) {
  return fmt::format(
      "name=\"kan_kernel\" language=\"ip_c\" vlnv=\"{}\" attributes=\"\" "
      "preferredWorkGroupSizeMultiple=\"0\" workGroupSize=\"1\" interrupt=\"true\" hwControlProtocol=\"{}\"",
      kVlnv, protocol_name(protocol));
}

}  // namespace

std::string_view protocol_name(Protocol protocol) noexcept {
  return protocol == Protocol::kChain ? "ap_ctrl_chain" : "ap_ctrl_hs";
}

std::optional<Protocol> protocol_named(std::string_view name) noexcept {
  if (name == "ap_ctrl_hs") return Protocol::kHandshake;
  if (name == "ap_ctrl_chain") return Protocol::kChain;
  return std::nullopt;
}

std::string registers_markdown() {
  std::string text{kMarkdownHeader};
  for (const Register& entry : kRegisters) {
    text += fmt::format("| 0x{:03X} | `{}` | {} | {} | {} |\n", entry.offset, entry.name, entry.bytes,
                        access_name(entry.access), entry.meaning);
  }
  text +=
      "\nArguments of the kernel, as XRT numbers them:\n\n| id | name | type | offset |\n| --- | --- | --- | "
      "--- |\n";
  for (std::size_t id = 0; id < kArguments.size(); ++id) {
    text += fmt::format("| {} | `{}` | `{}` | 0x{:03X} |\n", id, kArguments[id].name, kArguments[id].type,
                        register_of(kArguments[id]).offset);
  }
  return text;
}

std::string registers_systemverilog() {
  std::string text = fmt::format(
      "// The register map of kan_kernel: byte offsets, and what some registers hold.\n"
      "// Printed by `kanc registers --format sv` from firmware/card/registers.hpp; do not edit.\n"
      "package kan_register_pkg;\n"
      "  localparam logic [31:0] MagicValue = 32'h{:08x};\n"
      "  localparam logic [31:0] InterfaceVersionValue = 32'd{};\n"
      "  localparam logic [31:0] ModeDecide = 32'd{};\n"
      "  localparam logic [31:0] ModeSelfTest = 32'd{};\n"
      "  localparam logic [31:0] ModeLoadTables = 32'd{};\n"
      "  localparam int unsigned ErrorReadResponse = {};\n"
      "  localparam int unsigned ErrorWriteResponse = {};\n"
      "  localparam int unsigned ErrorAddress = {};\n"
      "  localparam int unsigned ErrorMode = {};\n"
      "  localparam int unsigned ErrorTooManyEvents = {};\n",
      kMagic, kInterfaceVersion, static_cast<std::uint32_t>(Mode::kDecide),
      static_cast<std::uint32_t>(Mode::kSelfTest), static_cast<std::uint32_t>(Mode::kLoadTables),
      static_cast<std::uint32_t>(RunError::kReadResponse),
      static_cast<std::uint32_t>(RunError::kWriteResponse), static_cast<std::uint32_t>(RunError::kAddress),
      static_cast<std::uint32_t>(RunError::kMode), static_cast<std::uint32_t>(RunError::kTooManyEvents));
  for (const Register& entry : kRegisters) {
    text += fmt::format("  localparam logic [11:0] {} = 12'h{:03x};\n", camel_case(entry.name), entry.offset);
  }
  return text + "endpackage\n";
}

std::string kernel_xml(Protocol protocol) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<!-- Printed by `kanc registers` from registers.hpp; do not edit. -->\n"
      "<root versionMajor=\"1\" versionMinor=\"6\">\n"
      "  <kernel {}>\n    <ports>\n{}    </ports>\n    <args>\n{}    </args>\n  </kernel>\n</root>\n",
      kernel_attributes(protocol), ports_xml("      "), arguments_xml("      "));
}

std::string embedded_metadata(Protocol protocol, std::span<const Instance> instances) {
  std::string placed;
  for (const Instance& instance : instances) {
    placed += fmt::format(
        "    <instance name=\"{}\"><addrRemap base=\"0x{:X}\" range=\"0x10000\" "
        "port=\"s_axi_control\"/></instance>\n",
        instance.name, instance.base);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<project name=\"kantrig\"><platform vendor=\"kantrig\" boardid=\"card\" name=\"card\" "
      "featureRomTime=\"0\"><version major=\"1\" minor=\"0\"/>\n"
      "<device name=\"fpga0\" fpgaDevice=\"virtexuplus:any:any\" addrWidth=\"0\">\n"
      "<core name=\"OCL_REGION_0\" target=\"hw_em\" type=\"clc_region\" clockFreq=\"{0}MHz\" "
      "numComputeUnits=\"{1}\">\n"
      "  <kernelClocks><clock port=\"KERNEL_CLK\" frequency=\"{0}MHz\"/></kernelClocks>\n"
      "  <kernel {2}>\n{3}{4}{5}  </kernel>\n</core></device></platform></project>\n",
      instances.front().clock_mhz, instances.size(), kernel_attributes(protocol), ports_xml("    "),
      arguments_xml("    "), placed);
}

}  // namespace kantrig::card
