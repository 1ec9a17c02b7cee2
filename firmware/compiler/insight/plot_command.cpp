// kanc plot
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "compiler/commands.hpp"
#include "compiler/insight/model_file.hpp"
#include "compiler/insight/plot.hpp"
#include "compiler/report.hpp"
#include "picture/picture_file.hpp"

namespace kantrig::compiler {
namespace {

struct Arguments {
  std::filesystem::path model;
  std::filesystem::path x;
  std::optional<std::string> label;
  std::filesystem::path out;
  insight::PlotOptions options;
};

template <typename Model>
Result<insight::CurveModel> curves(const Model& model, const Arguments& arguments) {
  if (arguments.x.empty()) return insight::curves_of(model, nullptr);
  const auto events = insight::read_events(arguments.x, model, arguments.label);
  if (!events) return tl::unexpected(events.error());
  return insight::curves_of(model, &*events);
}

int run(const Arguments& arguments) {
  const auto model = insight::read_model(arguments.model);
  if (!model) return report_failure(model.error(), base::kExitInput);
  const auto drawn = std::visit([&](const auto& one) { return curves(one, arguments); }, *model);
  if (!drawn) return report_failure(drawn.error(), base::kExitInput);
  const auto written = picture::write_picture(arguments.out, insight::plot(*drawn, arguments.options));
  if (!written) return report_failure(written.error(), base::kExitOutput);
  fmt::print("plotted {} into {}\n", drawn->name, arguments.out.string());
  return base::kExitOk;
}

}  // namespace

void add_plot_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("plot", "Draw a model: layers, and every edge as a small curve");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "A bundle, or a checkpoint (.kan, .json)")->required();
  command->add_option("--x", arguments->x,
                      "Events, .npy or .csv, whose distributions stand behind the curves");
  command->add_option("--label", arguments->label, "Column of the .csv that holds the class, left out");
  command->add_option("--out", arguments->out, "The picture, .svg or .png")->required();
  command
      ->add_option("--edges", arguments->options.edges_max,
                   "Edges drawn in a layer; of more, the least important are left out")
      ->check(CLI::Range(1U, insight::kPlotEdgesMax))
      ->capture_default_str();
  command->footer(
      "Inputs stand below, outputs above. An edge's opacity is its strength: how much its value varies "
      "(r.m.s. "
      "over the\n"
      "events), relative to its node. Without --x the events are those of the bundle's reference histograms; "
      "a "
      "checkpoint\n"
      "has none, so its features are taken as uniform. Edges under the pointer tell their figures (.svg).\n\n"
      "Example:\n"
      "  kanc plot jets-1.1.0 --out jets.svg\n"
      "  kanc plot jets-1.1.0.kan --x jets.csv --label class --out jets.png --edges 40\n\n"
      "Exit codes: 0 done, 2 wrong command line, 3 wrong or missing input, 5 picture not written.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
