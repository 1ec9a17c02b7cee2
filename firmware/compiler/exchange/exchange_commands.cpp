// kanc import, kanc export: what others publish and train, and what others can run
#include <CLI/CLI.hpp>

#include "compiler/commands.hpp"
#include "compiler/exchange/commands.hpp"

namespace kantrig::compiler {

void add_import_command(CLI::App& app, int& exit_code) {
  CLI::App* const import = app.add_subcommand("import", "Make a bundle from somebody else's model");
  import->require_subcommand(1);
  exchange::add_import_kanele_command(*import, exit_code);
  exchange::add_import_checkpoint_command(*import, exit_code);
  exchange::add_import_torch_command(*import, exit_code);
  exchange::add_import_pykan_command(*import, exit_code);
}

void add_export_command(CLI::App& app, int& exit_code) {
  CLI::App* const exporting = app.add_subcommand("export", "Write a model for somebody else's runtime");
  exporting->require_subcommand(1);
  exchange::add_export_onnx_command(*exporting, exit_code);
}

}  // namespace kantrig::compiler
