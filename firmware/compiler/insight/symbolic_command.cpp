// kanc symbolic
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "compiler/commands.hpp"
#include "compiler/insight/expression.hpp"
#include "compiler/insight/measure.hpp"
#include "compiler/insight/model_file.hpp"
#include "compiler/insight/symbolic.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "compiler/report.hpp"

namespace kantrig::compiler {
namespace {

using insight::Candidate;
using insight::Proposal;
using learned::LearnedKan;
using Json = nlohmann::ordered_json;

constexpr std::size_t kCheckedEvents = 1'000;  // the whole formula is compared on
constexpr std::size_t kEdgesShown = 60;
constexpr std::size_t kAlternatives = 3;

struct Arguments {
  std::filesystem::path checkpoint;
  std::filesystem::path x;
  std::optional<std::string> label;
  std::filesystem::path fix;
  insight::SymbolicOptions options;
  int digits = 4;
  bool json = false;
};

struct Findings {
  insight::CurveModel curves;
  std::vector<Proposal> proposals;
  LearnedKan made;
  insight::ModelText text;
  std::vector<double> agreement;  // of each output
};

Result<Findings> find(const LearnedKan& kan, const Arguments& arguments) {
  std::optional<base::FeatureTable> events;
  if (!arguments.x.empty()) {
    auto read = insight::read_events(arguments.x, kan, arguments.label);
    if (!read) return tl::unexpected(read.error());
    events = std::move(*read);
  }
  auto curves = insight::curves_of(kan, events ? &*events : nullptr);
  if (!curves) return tl::unexpected(curves.error());
  Findings findings{.curves = std::move(*curves), .proposals = {}, .made = {}, .text = {}, .agreement = {}};
  findings.proposals = insight::propose(kan, findings.curves, arguments.options);
  findings.made = insight::with_formulas(kan, findings.proposals);
  findings.text = insight::model_text(findings.made, findings.curves.outputs, arguments.digits);
  base::FeatureTable checked = events ? std::move(*events) : insight::drawn_events(kan, kCheckedEvents);
  checked.rows = std::min(checked.rows, kCheckedEvents);
  findings.agreement = insight::agreement(kan, findings.made, checked);
  return findings;
}

std::string input_name(const Findings& findings, const Proposal& one) {
  return one.layer == 0 ? findings.curves.layers[0].sources[one.input].name
                        : fmt::format("h{}_{}", one.layer - 1, one.input);
}

std::string node_name(const Findings& findings, const Proposal& one) {
  return one.layer + 1 == findings.curves.layers.size() ? findings.curves.outputs[one.node]
                                                        : fmt::format("h{}_{}", one.layer, one.node);
}

std::string_view verdict(const Proposal& one) {
  if (one.was_formula) return "formula before";
  if (one.left_out) return "not looked at";
  if (one.constant) return "constant";
  return one.accepted ? "accepted" : "kept as a curve";
}

Json candidate_json(const Candidate& one) {
  return {{"function", learned::name_of(one.formula.function)},
          {"a", one.formula.inner_scale},
          {"b", one.formula.inner_offset},
          {"c", one.formula.outer_scale},
          {"d", one.formula.outer_offset},
          {"r2", one.r2},
          {"complexity", one.complexity},
          {"cost", one.cost}};
}

void print_json(const Findings& findings, const Arguments& arguments) {
  Json out;
  out["model"] = findings.curves.name;
  out["events"] = findings.curves.events;
  out["rule"] = {{"simplicity", arguments.options.simplicity}, {"r2_least", arguments.options.r2_least}};
  out["edges"] = Json::array();
  for (const Proposal& one : findings.proposals) {
    Json edge{{"layer", one.layer},
              {"input", one.input},
              {"node", one.node},
              {"from", input_name(findings, one)},
              {"to", node_name(findings, one)},
              {"strength", one.strength},
              {"verdict", verdict(one)},
              {"best", candidate_json(one.candidates[0])}};
    edge["others"] = Json::array();
    for (std::size_t i = 1; i < std::min(one.candidates.size(), kAlternatives); ++i)
      edge["others"].push_back(candidate_json(one.candidates[i]));
    out["edges"].push_back(std::move(edge));
  }
  out["nodes"] = Json::object();
  for (const auto& node : findings.text.nodes) out["nodes"][node.name] = node.text;
  out["outputs"] = Json::array();
  for (std::size_t k = 0; k < findings.text.outputs.size(); ++k) {
    out["outputs"].push_back({{"name", findings.text.outputs[k].name},
                              {"formula", findings.text.outputs[k].text},
                              {"r2", findings.agreement[k]}});
  }
  fmt::print("{}\n", out.dump(2));
}

std::string formula_text(const learned::Formula& formula, int digits) {
  insight::Sum inner{.constant = formula.inner_offset,
                     .terms = {{.coefficient = formula.inner_scale, .name = "x"}}};
  insight::Sum sum{.constant = formula.outer_offset};
  if (formula.function == learned::Function::kIdentity) {
    sum.constant += formula.outer_scale * formula.inner_offset;
    sum.terms.push_back({.coefficient = formula.outer_scale * formula.inner_scale, .name = "x"});
  } else if (formula.function != learned::Function::kZero) {
    sum.terms.push_back({.coefficient = formula.outer_scale,
                         .function = formula.function,
                         .is_function = true,
                         .inner = std::move(inner)});
  }
  return insight::text_of(sum, digits);
}

void print_edges(const Findings& findings, int digits) {
  std::vector<const Proposal*> order;
  for (const Proposal& one : findings.proposals) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(), [](const Proposal* a, const Proposal* b) {
    return a->layer != b->layer ? a->layer < b->layer : a->strength > b->strength;
  });
  fmt::print("{:<28} {:>8}  {:<10} {:>9}  {:<15} {}\n", "edge", "strength", "function", "R2", "",
             "what enters is x");
  std::size_t shown = 0;
  for (const Proposal* one : order) {
    if (++shown > kEdgesShown) break;
    const Candidate& best = one->candidates[0];
    fmt::print("{:<28} {:>8.3f}  {:<10} {:>9.6f}  {:<15} {}\n",
               input_name(findings, *one) + " -> " + node_name(findings, *one), one->strength,
               learned::name_of(best.formula.function), best.r2, verdict(*one),
               formula_text(best.formula, digits));
  }
  if (order.size() > kEdgesShown)
    fmt::print("and {} more edges (--json shows all)\n", order.size() - kEdgesShown);
}

void print_text(const Findings& findings, const Arguments& arguments) {
  const auto accepted = std::count_if(findings.proposals.begin(), findings.proposals.end(),
                                      [](const Proposal& one) { return one.accepted; });
  fmt::print("model     {}\nevents    {}\nedges     {} of {} are formulas with R2 of at least {}\n\n",
             findings.curves.name, findings.curves.events, accepted, findings.proposals.size(),
             arguments.options.r2_least);
  print_edges(findings, arguments.digits);
  fmt::print("\n");
  for (const auto& node : findings.text.nodes) fmt::print("{} = {}\n", node.name, node.text);
  for (std::size_t k = 0; k < findings.text.outputs.size(); ++k)
    fmt::print("{} = {}\n", findings.text.outputs[k].name, findings.text.outputs[k].text);
  if (!findings.text.curves.empty()) {
    fmt::print("\nf<layer>_<input>_<node> is the curve of an edge that no function fits: {} of them\n",
               findings.text.curves.size());
  }
  fmt::print("\nagreement with the model, R2:");
  for (std::size_t k = 0; k < findings.agreement.size(); ++k)
    fmt::print(" {} {:.6f}", findings.text.outputs[k].name, findings.agreement[k]);
  fmt::print("\n");
}

int run(const Arguments& arguments) {
  const auto kan = learned::read_checkpoint(arguments.checkpoint);
  if (!kan) return report_failure(kan.error(), base::kExitInput);
  const auto findings = find(*kan, arguments);
  if (!findings) return report_failure(findings.error(), base::kExitInput);
  if (!arguments.fix.empty()) {
    if (auto ok = learned::check(findings->made); !ok) return report_failure(ok.error(), base::kExitInput);
    const auto written = learned::write_checkpoint(findings->made, arguments.fix);
    if (!written) return report_failure(written.error(), base::kExitOutput);
  }
  if (arguments.json) {
    print_json(*findings, arguments);
  } else {
    print_text(*findings, arguments);
  }
  return base::kExitOk;
}

}  // namespace

void add_symbolic_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "symbolic", "Propose a function for every edge of a checkpoint, and print its formula");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("checkpoint", arguments->checkpoint, "The model as real functions (.kan, .json)")
      ->required();
  command->add_option("--x", arguments->x, "Events, .npy or .csv: where the edges are looked at");
  command->add_option("--label", arguments->label, "Column of the .csv that holds the class, left out");
  command->add_option("--r2", arguments->options.r2_least, "What a fit must reach to be accepted")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--simplicity", arguments->options.simplicity,
                   "1: only simplicity counts, 0: only the fit")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--edges", arguments->options.edges_max,
                   "Edges to look at; of more, the most important ones (0.1 s each)")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command->add_option("--digits", arguments->digits, "Significant digits of printed numbers")
      ->check(CLI::Range(1, 15))
      ->capture_default_str();
  command->add_option("--fix", arguments->fix, "Write a checkpoint whose accepted edges are the formulas");
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "Each function f of the library is fitted as c f(a x + b) + d over the points of an edge that events "
      "meet. "
      "Of those\n"
      "whose R2 reaches --r2, the one is proposed for which  s (complexity + 0.25 fitted inner numbers) + (1 "
      "- s) "
      "log2(1 + 1e-5 - R2)\n"
      "is least, s being --simplicity; where none does, the best is named and the edge stays a curve. Edges "
      "weaker "
      "than 0.02\n"
      "of their node are proposed as constants. Without --x features are taken as uniform.\n"
      "Clamps of quantised models are not written.\n\n"
      "Example:\n"
      "  kanc symbolic fit.kan --x data.csv --label y\n"
      "  kanc symbolic fit.kan --r2 0.999 --fix formulas.kan --json\n\n"
      "Exit codes: 0 done, 2 wrong command line, 3 wrong or missing input, 5 output not written.");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
