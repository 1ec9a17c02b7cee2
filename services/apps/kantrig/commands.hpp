// The subcommands of kantrig: each adds itself to the program and leaves its exit code (base/exit_code.hpp).
#pragma once

#include <CLI/CLI.hpp>

namespace kantrig::apps {

void add_status_command(CLI::App& app, int& exit_code);
void add_watch_command(CLI::App& app, int& exit_code);
void add_run_command(CLI::App& app, int& exit_code);
void add_model_command(CLI::App& app, int& exit_code);
void add_model_verify_command(CLI::App& model, int& exit_code);  // under `model`
void add_menu_command(CLI::App& app, int& exit_code);
void add_explain_command(CLI::App& app, int& exit_code);
void add_card_command(CLI::App& app, int& exit_code);
void add_send_command(CLI::App& app, int& exit_code);
void add_bench_command(CLI::App& app, int& exit_code);
void add_bench_card_command(CLI::App& bench, int& exit_code);  // under `bench`

}  // namespace kantrig::apps
