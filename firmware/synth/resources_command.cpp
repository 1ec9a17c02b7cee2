// kanc resources
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"
#include "synth/area_picture.hpp"
#include "synth/resource_report.hpp"
#include "synth/resources.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path folder;
  std::string family;  // empty: the design's
  std::string baseline = "4";
  std::filesystem::path keep;
  std::filesystem::path picture;
  bool json = false;
  bool no_report = false;
};

/// Puts the figures into the bundle. Nothing is written when they are there already.
Result<void> write_report(kan::Bundle bundle, const Arguments& arguments, const synth::Resources& resources,
                          const HardwareDesign& design) {
  std::error_code ignored;
  const bool is_signed = std::filesystem::exists(arguments.folder / "manifest.sig", ignored);
  auto report = synth::report_with_resources(bundle.report_json, resources, design);
  if (!report) return tl::unexpected(report.error());
  if (*report == bundle.report_json) return {};
  bundle.report_json = std::move(*report);
  const auto digest = kan::write_bundle(bundle, arguments.folder, kan::Overwrite::kReplace);
  if (!digest) return tl::unexpected(digest.error());
  if (is_signed) report_warning("the bundle was signed: its report changed, so sign it again");
  fmt::print(stderr, "kanc: figures written into {}/report.json; digest {}\n", arguments.folder.string(),
             digest->hex());
  return {};
}

/// A design for xcup holds cells of that family; those for ice40 and generic devices hold none.
Result<synth::Family> family_for(const HardwareDesign& design, const std::string& wanted) {
  if (design.device == "generic") return synth::family_from_name(wanted.empty() ? "xcup" : wanted);
  if (!wanted.empty() && wanted != design.device && design.device != "ice40") {
    return fail(ErrorCode::kUnsupported,
                "bundle {}: its design is for {}, expected {}: compile it with --device {}", design.bundle,
                design.device, wanted, wanted);
  }
  return synth::family_from_name(wanted.empty() ? design.device : wanted);
}

int run(const Arguments& arguments) {
  auto bundle = kan::load_bundle(arguments.folder, {}, kan::Images::kKeep);  // it may be written again
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  const auto design = synth::design_of(*bundle);
  if (!design) return report_failure(design.error(), base::kExitInput);
  const auto family = family_for(*design, arguments.family);
  if (!family) return report_failure(family.error(), base::kExitInput);
  const std::uint32_t operands = arguments.baseline == "none" ? 0U : arguments.baseline == "2" ? 2U : 4U;
  const auto resources = synth::measure_resources(
      *bundle, *design, {.family = *family, .baseline_operands = operands, .keep = arguments.keep});
  if (!resources) {
    const bool missing = resources.error().code == ErrorCode::kNotFound;
    return report_failure(resources.error(), missing ? base::kExitUnavailable : base::kExitFailed);
  }
  fmt::print("{}", arguments.json ? synth::resources_to_json(*resources, *design)
                                  : synth::resources_to_text(*resources, *design));
  if (!arguments.picture.empty()) {
    const auto drawn = base::write_file_atomic(arguments.picture, synth::area_picture(*resources, *design));
    if (!drawn) return report_failure(drawn.error(), base::kExitOutput);
  }
  if (arguments.no_report) return base::kExitOk;
  const auto written = write_report(std::move(*bundle), arguments, *resources, *design);
  return written ? base::kExitOk : report_failure(written.error(), base::kExitOutput);
}

}  // namespace

void add_resources_command(CLI::App& app, int& exit_code) {
  CLI::App* const resources = app.add_subcommand(
      "resources", "Synthesise a compiled design with Yosys, beside the published structure of its model");
  const auto arguments = std::make_shared<Arguments>();
  resources->add_option("bundle", arguments->folder, "A bundle with a design, as kanc compile writes it")
      ->required();
  resources
      ->add_option("--family", arguments->family,
                   "Device family: xcup (UltraScale+) or ice40 (default: the design's)")
      ->check(CLI::IsMember({"xcup", "ice40"}));
  resources
      ->add_option("--baseline", arguments->baseline,
                   "The published structure with adder trees of 4 or 2 operands, or none")
      ->check(CLI::IsMember({"4", "2", "none"}))
      ->capture_default_str();
  resources->add_option("--picture", arguments->picture,
                        "Draw where the LUTs go, by layer and node, into this file (SVG)");
  resources->add_option("--keep", arguments->keep,
                        "Keep sources, script, log and netlists of the synthesis in this folder");
  resources->add_flag("--json", arguments->json, "Print JSON");
  resources->add_flag("--no-report", arguments->no_report,
                      "Leave the bundle as it is: by default the figures go into its report.json, under "
                      "hardware.resources, and change its digest");
  resources->footer(
      "LUTs that work as memory or shift register count as LUTs; a LUT with two outputs counts once. Levels "
      "are\n"
      "LUTs between two registers: F7 and F8 belong to the LUT before them. Carries are CARRY8 (iCE40: carry "
      "cells).\n\n"
      "Example:\n"
      "  kanc resources jets-fixed --picture area.svg\n\n"
      "Exit codes: 0 done, 1 the synthesis failed or the latency differs from design.json, 2 wrong command "
      "line,\n3 wrong or missing bundle, 4 Yosys is not installed, 5 report or picture not written.");
  resources->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
