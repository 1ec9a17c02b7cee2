// kanc: from data, or from published tables, to a bundle.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "base/build_info.hpp"
#include "base/exit_code.hpp"
#include "compiler/commands.hpp"

int main(int argc, char** argv) {
  using namespace kantrig;
  int exit_code = base::kExitOk;
  const base::BuildInfo build = base::build_info();
  CLI::App app{
      "kanc makes, reads and signs bundles, packaged Kolmogorov-Arnold models of kantrig, and turns them "
      "into hardware."};
  app.set_version_flag("--version", fmt::format("kanc {} ({})", build.version, build.revision));
  app.require_subcommand(1);
  app.footer(
      "Example: import a published model, then look at it:\n"
      "  kanc import kanele jsc_openml --out jsc-1.0.0 --name jsc --version 1.0.0\n"
      "  kanc inspect jsc-1.0.0\n"
      "Then to hardware, simulated and measured:\n"
      "  kanc compile jsc-1.0.0 --target fixed --out jsc-fixed\n"
      "  kanc verify jsc-fixed\n"
      "  kanc resources jsc-fixed\n\n"
      "Exit codes: 0 done, 1 the answer is no, 2 wrong command line, 3 wrong or missing input, 5 output not "
      "written.");
  compiler::add_import_command(app, exit_code);
  compiler::add_export_command(app, exit_code);
  compiler::add_init_command(app, exit_code);
  compiler::add_train_command(app, exit_code);
  compiler::add_quantize_command(app, exit_code);
  compiler::add_extend_grid_command(app, exit_code);
  compiler::add_bench_command(app, exit_code);
  compiler::add_sweep_command(app, exit_code);
  compiler::add_codebook_command(app, exit_code);
  compiler::add_compile_command(app, exit_code);
  compiler::add_tables_command(app, exit_code);
  compiler::add_pack_command(app, exit_code);
  compiler::add_resources_command(app, exit_code);
  compiler::add_bitstream_command(app, exit_code);
  compiler::add_inspect_command(app, exit_code);
  compiler::add_evaluate_command(app, exit_code);
  compiler::add_plot_command(app, exit_code);
  compiler::add_symbolic_command(app, exit_code);
  compiler::add_keygen_command(app, exit_code);
  compiler::add_sign_command(app, exit_code);
  compiler::add_registers_command(app, exit_code);
  compiler::add_simulate_command(app, exit_code);
  compiler::add_verify_command(app, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? base::kExitOk : base::kExitUsage;
  }
  return exit_code;
}
