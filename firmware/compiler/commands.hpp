// The subcommands of kanc, one source file each. A subcommand is added to the program like this:
//   add_import_command(app, exit_code);
// Its callback prints the result to stdout, warnings and errors to stderr, and sets `exit_code`
// (base/exit_code.hpp) when the answer is not kExitOk.
#pragma once

namespace CLI {
class App;
}

namespace kantrig::compiler {

void add_import_command(CLI::App& app, int& exit_code);       // of exchange/
void add_export_command(CLI::App& app, int& exit_code);       // of exchange/
void add_init_command(CLI::App& app, int& exit_code);         // of train/
void add_train_command(CLI::App& app, int& exit_code);        // of train/
void add_quantize_command(CLI::App& app, int& exit_code);     // of train/
void add_extend_grid_command(CLI::App& app, int& exit_code);  // of train/
void add_bench_fit_command(CLI::App& bench, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);     // of train/
void add_sweep_command(CLI::App& app, int& exit_code);     // of explore/
void add_codebook_command(CLI::App& app, int& exit_code);  // of explore/
void add_compile_command(CLI::App& app, int& exit_code);
void add_pack_command(CLI::App& app, int& exit_code);
void add_tables_command(CLI::App& app, int& exit_code);
void add_resources_command(CLI::App& app, int& exit_code);  // of firmware/synth
void add_bitstream_command(CLI::App& app, int& exit_code);  // of firmware/synth
void add_inspect_command(CLI::App& app, int& exit_code);
void add_evaluate_command(CLI::App& app, int& exit_code);
void add_plot_command(CLI::App& app, int& exit_code);      // of insight/
void add_symbolic_command(CLI::App& app, int& exit_code);  // of insight/
void add_keygen_command(CLI::App& app, int& exit_code);
void add_sign_command(CLI::App& app, int& exit_code);
void add_registers_command(CLI::App& app, int& exit_code);
void add_simulate_command(CLI::App& app, int& exit_code);  // of verify/
void add_verify_command(CLI::App& app, int& exit_code);    // of verify/

}  // namespace kantrig::compiler
