// kanc export onnx
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "base/file.hpp"
#include "compiler/exchange/commands.hpp"
#include "compiler/exchange/onnx_export.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/report.hpp"
#include "kan/bundle.hpp"

namespace kantrig::exchange {
namespace {

using compiler::report_failure;
namespace fs = std::filesystem;

struct Arguments {
  fs::path model;
  fs::path out;
  bool codes = false;
};

int run(const Arguments& arguments) {
  std::error_code ignored;
  const bool is_bundle = fs::is_directory(arguments.model, ignored);
  std::string what;
  Result<std::string> onnx = std::string();
  if (is_bundle) {
    const auto bundle = kan::load_bundle(arguments.model);
    if (!bundle) return report_failure(bundle.error(), base::kExitInput);
    what = fmt::format("bundle {} as lookups in integers", bundle->full_name());
    onnx = lookup_onnx(*bundle, arguments.codes ? OnnxEntry::kCodes : OnnxEntry::kFeatures);
  } else {
    if (arguments.codes) {
      return report_failure({ErrorCode::kInvalid, "--codes is for bundles: a checkpoint has real inputs"},
                            base::kExitUsage);
    }
    const auto kan = learned::read_checkpoint(arguments.model);
    if (!kan) return report_failure(kan.error(), base::kExitInput);
    what = fmt::format("checkpoint {} as real functions in float32", arguments.model.string());
    onnx = float_onnx(*kan);
  }
  if (!onnx) return report_failure(onnx.error().within(arguments.model.string()), base::kExitInput);
  if (auto ok = base::write_file_atomic(arguments.out, *onnx); !ok)
    return report_failure(ok.error(), base::kExitOutput);
  fmt::print("wrote {} into {}, {} bytes\n", what, arguments.out.string(), onnx->size());
  return base::kExitOk;
}

}  // namespace

void add_export_onnx_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("onnx", "An ONNX file: a bundle as lookups in integers, a checkpoint as functions");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "A bundle (folder) or a checkpoint (MODEL.kan, .json)")
      ->required();
  command->add_option("--out", arguments->out, "The ONNX file to write")->required();
  command->add_flag("--codes", arguments->codes, "Of a bundle: begin behind the input stage, at codes int64");
  command->footer(
      "Standard operators of set 13. A bundle gives x (float32, physical units) -> codes, outputs (int32, "
      "bit "
      "for bit those of\nevery evaluator here), scores, class; a checkpoint gives x -> outputs in float32, "
      "not "
      "rounded anywhere.\n\n"
      "Example:\n"
      "  kanc export onnx jets-1.1.0 --out jets.onnx\n"
      "  kanc export onnx jets.kan --out jets-float.onnx\n\n"
      "Exit codes: 0 written, 2 wrong command line, 3 wrong or missing input, 5 not written.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::exchange
