// kantrig explain: why an event got its class and what the menu made of it. Needs no daemon.
#include <fmt/core.h>

#include <memory>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/explain/report_output.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"
#include "picture/picture_file.hpp"

namespace kantrig::apps {
namespace {

struct ExplainOptions {
  ExplainRequest request;
  std::filesystem::path picture;
  bool all_edges = false;
  bool json = false;
};

int run(const ExplainOptions& options) {
  const auto failed = [](const Error& error, int code) {
    fmt::print(stderr, "kantrig: {}\n", error.message);
    return code;
  };
  const auto report = explain_event(options.request);
  if (!report) return failed(report.error(), base::kExitInput);
  if (!options.picture.empty()) {
    const auto written = picture::write_picture(options.picture, report_picture(*report));
    if (!written) return failed(written.error(), base::kExitOutput);
  }
  return print_text(options.json ? report_json(*report) : report_text(*report, options.all_edges));
}

constexpr const char* kHelp = R"(What it shows:
  scores     the model's outputs for the event, and for an event whose features all are at their medians
  features   where the event lies among the training events (their histograms are in the bundle), and the
             effect of each feature on each score: the score less the score of the same event with that
             feature at its median. Exact, but effects do not add up: features act together.
  sums       of every node, in the integers of the model: the baseline and what each edge adds to it. These
             do add up, exactly. What a clamp changed is marked.
  menu       with --menu: every line, every comparison of its condition, and the values that decided it

Examples:
  kantrig explain jets-1.1.0 jets.npy --event 7
  kantrig explain jets-1.1.0 jets.csv --label class --event 7 --menu config/menu.toml --picture why.png
  kantrig explain jets-1.1.0 jets.npy --json | jq .menu.accepted

Exit codes: 0 done, 2 wrong command line, 3 wrong or missing input, 5 output not written.)";

}  // namespace

void add_explain_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* command =
      app.add_subcommand("explain", "Say why an event got its class, and why a menu keeps it");
  command->footer(kHelp);
  command->add_option("BUNDLE", options->request.bundle, "Folder of the model's bundle")->required();
  command->add_option("EVENTS", options->request.events, "Events, .npy or .csv, a row each")->required();
  command->add_option("--event", options->request.event, "Which row, counted from 0")->capture_default_str();
  command->add_option("--label", options->request.label, "Column of the .csv that holds the class, left out");
  command->add_option("--menu", options->request.menu, "Trigger menu in TOML, to explain its lines too");
  command->add_option("--column", options->request.column, "Column of prescales (default: the menu's)");
  command->add_option("--event-id", options->request.event_id,
                      "Number of the event for prescales (default: its row)");
  command->add_option("--picture", options->picture, "Draw it too, as .svg or .png");
  command->add_flag("--edges", options->all_edges, "Print every edge, not the three that add most to a node");
  command->add_flag("--json", options->json, "Print JSON for scripts");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace kantrig::apps
