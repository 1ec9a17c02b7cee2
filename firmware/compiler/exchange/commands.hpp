// The subcommands of `kanc import` and `kanc export`, one source file each, added as those of kanc are
// (compiler/commands.hpp).
#pragma once

namespace CLI {
class App;
}

namespace kantrig::exchange {

void add_import_kanele_command(CLI::App& import, int& exit_code);
void add_import_checkpoint_command(CLI::App& import, int& exit_code);
void add_import_torch_command(CLI::App& import, int& exit_code);
void add_import_pykan_command(CLI::App& import, int& exit_code);
void add_export_onnx_command(CLI::App& app, int& exit_code);

}  // namespace kantrig::exchange
