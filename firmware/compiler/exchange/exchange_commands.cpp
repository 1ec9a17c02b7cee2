// kanc import: what others publish and train
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

}  // namespace kantrig::compiler
