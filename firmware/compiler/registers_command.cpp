// kanc registers
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <array>
#include <memory>
#include <string>

#include "base/exit_code.hpp"
#include "card/register_files.hpp"
#include "compiler/commands.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::string format = "markdown";
  std::string protocol = "ap_ctrl_hs";
};

std::string text_of(const Arguments& arguments) {
  const card::Protocol protocol =
      card::protocol_named(arguments.protocol).value_or(card::Protocol::kHandshake);
  if (arguments.format == "sv") return card::registers_systemverilog();
  if (arguments.format == "xml") return card::kernel_xml(protocol);
  if (arguments.format == "metadata") return card::embedded_metadata(protocol, std::array{card::Instance{}});
  return card::registers_markdown();
}

}  // namespace

void add_registers_command(CLI::App& app, int& exit_code) {
  CLI::App* const registers =
      app.add_subcommand("registers", "Print the register map of the FPGA kernel, for people or for tools");
  const auto arguments = std::make_shared<Arguments>();
  registers
      ->add_option("--format", arguments->format, "markdown, sv, xml (kernel.xml) or metadata (of an xclbin)")
      ->check(CLI::IsMember({"markdown", "sv", "xml", "metadata"}))
      ->capture_default_str();
  registers
      ->add_option("--protocol", arguments->protocol, "For xml and metadata: ap_ctrl_hs or ap_ctrl_chain")
      ->check(CLI::IsMember({"ap_ctrl_hs", "ap_ctrl_chain"}))
      ->capture_default_str();
  registers->footer(
      "firmware/card/registers.md, firmware/card/kernel.xml and firmware/rtl/kan_register_pkg.sv are what "
      "this\n"
      "prints.\n\nExample:\n  kanc registers --format xml --protocol ap_ctrl_chain > kernel.xml\n\n"
      "Exit codes: 0 printed, 2 wrong command line.");
  registers->callback([arguments, &exit_code] {
    fmt::print("{}", text_of(*arguments));
    exit_code = base::kExitOk;
  });
}

}  // namespace kantrig::compiler
