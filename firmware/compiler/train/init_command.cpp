// kanc init: a specification to start from, out of a table of events.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <set>

#include "base/csv.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::size_t kClassesMax = 32;  // more is a column of numbers, most likely

struct InitOptions {
  std::filesystem::path events;
  std::filesystem::path out;
  std::string class_column;
  std::string name;
  bool replace = false;
};

Result<std::vector<std::string>> classes_of(const base::CsvTable& table, const std::filesystem::path& path) {
  const std::set<std::string> names(table.labels.begin(), table.labels.end());
  if (names.size() >= 2 && names.size() <= kClassesMax)
    return std::vector<std::string>(names.begin(), names.end());
  return fail(ErrorCode::kInvalid,
              "{}: column '{}' holds {} different values, expected 2 to {} classes; name the right one by "
              "--class-column",
              path.string(), table.label_name, names.size(), kClassesMax);
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", name);
  return text;
}

/// Sizes that suit most tables: a step is worth half a batch, a hidden layer half the features.
std::string specification_text(const InitOptions& options, const base::CsvTable& table,
                               const std::vector<std::string>& classes) {
  const std::size_t features = table.features.columns;
  const std::size_t hidden = std::clamp<std::size_t>(features / 2 + 2, 4, 24);
  const std::size_t outputs = classes.size() == 2 ? 1 : classes.size();
  const std::size_t batch = table.features.rows > 50'000 ? 512 : table.features.rows > 5'000 ? 128 : 32;
  std::string text = fmt::format(
      "# What `kanc train` learns from {}; every key: firmware/compiler/train/README.md.\n"
      "name = \"{}\"\nversion = \"0.1.0\"\nclasses = [{}]\nfeatures = [\n",
      options.events.filename().string(), options.name, quoted_list(classes));
  for (const std::string& name : table.features.column_names)
    fmt::format_to(std::back_inserter(text), "  {{ name = \"{}\", unit = \"\" }},\n", name);
  fmt::format_to(
      std::back_inserter(text),
      "]\n\n[model]\nlayers = [{}, {}, {}]   # features, hidden nodes, {}\n"
      "bits = [8, 8, 8]         # of the features' codes and of each layer's outputs; fewer are smaller in "
      "hardware\n"
      "grid_size = 6\nspline_order = 3\nthresholds = \"node\"\n\n"
      "[input]\nrange = \"percentile\"    # or \"information\": what tells most about the class\n\n"
      "[training]\nepochs = 80\nbatch_size = {}\nlearning_rate = 0.01\nschedule = "
      "\"cosine\"\nlearning_rate_decay = 0.001\n"
      "weight_decay = 0.02\naverage = 0.99\nchoose_by = \"loss\"\nvalidation_fraction = 0.15\nseed = 1\n\n"
      "[pruning]\nthreshold = 0.5          # edges that vary less, in codes of the output, are taken "
      "out\nstart_epoch = 10\nend_epoch = 40\n",
      features, hidden, outputs,
      outputs == 1 ? "one score: above 0 is the second class" : "one score for each class", batch);
  return text;
}

Result<void> init(InitOptions options) {
  std::error_code ignored;
  if (!options.replace && std::filesystem::exists(options.out, ignored))
    return fail(ErrorCode::kInvalid, "{}: exists; give another --out, or --replace", options.out.string());
  const auto table = base::read_csv(options.events, base::CsvLabelColumn(options.class_column));
  if (!table) return tl::unexpected(table.error());
  const auto classes = classes_of(*table, options.events);
  if (!classes) return tl::unexpected(classes.error());
  if (options.name.empty()) options.name = options.events.stem().string();
  const std::string text = specification_text(options, *table, *classes);
  if (const auto good = train::parse_specification(text, options.out.string()); !good)
    return tl::unexpected(good.error());
  if (auto ok = base::write_file_atomic(options.out, text); !ok) return ok;
  fmt::print("{}: {} features, classes {}, {} events\nnext: kanc train {} --x {}{} --out {}-0.1.0\n",
             options.out.string(), table->features.columns, quoted_list(*classes), table->features.rows,
             options.out.string(), options.events.string(),
             options.class_column.empty() ? "" : " --class-column " + options.class_column, options.name);
  return {};
}

}  // namespace

void add_init_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("init", "Writes a specification to start from, out of a .csv of events.");
  const auto options = std::make_shared<InitOptions>();
  command
      ->add_option("EVENTS", options->events,
                   "Events, one a line, with a header and a column of classes: .csv")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--out", options->out, "Specification to write, .toml")->required();
  command->add_option("--class-column", options->class_column, "Column with the classes (default: the last)");
  command->add_option("--name", options->name, "Name of the model (default: the file's)");
  command->add_flag("--replace", options->replace, "Replace an older specification");
  command->footer(
      "Example:\n  kanc init events.csv --out mine.toml\n  kanc train mine.toml --x events.csv --out "
      "mine-0.1.0");
  command->callback([options, &exit_code] {
    const auto result = init(*options);
    exit_code = result ? base::kExitOk : report_failure(result.error(), base::kExitInput);
  });
}

}  // namespace kantrig::compiler
