// kanc verify
#include <fmt/core.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "compiler/commands.hpp"
#include "compiler/report.hpp"
#include "compiler/verify/prove.hpp"
#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_builder.hpp"
#include "compiler/verify/verify.hpp"
#include "kan/bundle.hpp"
#include "kan/rtl_library.hpp"

namespace kantrig::compiler {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::filesystem::path bundle;
  RtlBuildOptions build;
  VerifyOptions verify;
  bool prove = false;
  bool json = false;
};

/// All that is known at the end.
struct Outcome {
  const kan::Bundle& bundle;
  const HardwareDesign& design;
  VerifyReport report;
  std::optional<ProveReport> proofs;
  double build_seconds = 0.0;
  double seconds = 0.0;

  [[nodiscard]] bool good() const {
    return report.equal() && (!proofs || proofs->count(NodeProof::Outcome::kProved) == proofs->nodes.size());
  }
};

Json to_json(const Fault& fault) {
  Json json{{"layer", fault.layer}, {"node", fault.node}, {"node_name", fault.node_name}};
  if (fault.input) {
    json["input"] = *fault.input;
    json["input_name"] = fault.input_name;
  }
  if (fault.code) json["code"] = *fault.code;
  json["settings"] = fault.settings;
  json["differing"] = fault.differing;
  json["got"] = fault.example.got;
  json["expected"] = fault.example.expected;
  return json;
}

Json to_json(const ProveReport& proofs) {
  Json json{{"nodes", proofs.nodes.size()},
            {"proved", proofs.count(NodeProof::Outcome::kProved)},
            {"given_up", proofs.count(NodeProof::Outcome::kGivenUp)},
            {"refuted", Json::array()}};
  for (const NodeProof& proof : proofs.nodes) {
    if (proof.outcome == NodeProof::Outcome::kRefuted) json["refuted"].push_back(proof.refutation);
  }
  return json;
}

void print_json(const Outcome& outcome) {
  const VerifyReport& report = outcome.report;
  Json out;
  out["bundle"] = outcome.bundle.full_name();
  out["digest"] = outcome.bundle.digest.hex();
  out["model_digest"] = outcome.design.model_digest;
  out["target"] = target_name(outcome.design.target);
  out["device"] = outcome.design.device;
  out["cycles"] = outcome.design.cycles;
  out["equal"] = report.equal();
  for (const StageResult& stage : report.stages) {
    Json json{{"unit", stage.unit},     {"stage", stage.stage},         {"rows", stage.rows},
              {"values", stage.values}, {"differing", stage.differing}, {"note", stage.note}};
    out["stages"].push_back(std::move(json));
  }
  out["left_out"] = report.left_out;
  out["entries"] = report.entries;
  out["entries_exact"] = report.entries_exact;
  out["faults"] = Json::array();
  for (const Fault& fault : report.faults) out["faults"].push_back(to_json(fault));
  if (outcome.proofs) out["proofs"] = to_json(*outcome.proofs);
  out["rows"] = report.rows;
  out["simulation_seconds"] = report.simulation_seconds;
  out["build_seconds"] = outcome.build_seconds;
  out["seconds"] = outcome.seconds;
  fmt::print("{}\n", out.dump(2));
}

void print_stages(const VerifyReport& report) {
  fmt::print("{:<19} {:<26} {:>10} {:>12}\n", "unit", "what", "rows", "values");
  for (const StageResult& stage : report.stages) {
    fmt::print("{:<19} {:<26} {:>10} {:>12}  ", stage.unit, stage.stage, stage.rows, stage.values);
    if (stage.differing == 0) {
      fmt::print("equal{}{}\n", stage.note.empty() ? "" : ": ", stage.note);
    } else {
      fmt::print("{} DIFFER: row {}, {}: the design gives {}, expected {}\n", stage.differing,
                 stage.example.number, stage.example_name, stage.example.got, stage.example.expected);
    }
  }
}

void print_proofs(const ProveReport& proofs) {
  std::uint64_t entries = 0;
  for (const NodeProof& proof : proofs.nodes)
    entries += proof.outcome == NodeProof::Outcome::kProved ? proof.entries : 0;
  fmt::print("yosys: {} of {} nodes proved, {} table entries in {} settings each; {} given up\n",
             proofs.count(NodeProof::Outcome::kProved), proofs.nodes.size(), entries, kProofSettings,
             proofs.count(NodeProof::Outcome::kGivenUp));
  for (const NodeProof& proof : proofs.nodes) {
    if (proof.outcome == NodeProof::Outcome::kRefuted) fmt::print("yosys: refuted: {}\n", proof.refutation);
  }
}

void print_text(const Outcome& outcome) {
  const VerifyReport& report = outcome.report;
  fmt::print("design    {} ({}), {} for {}, {} cycles\n\n", outcome.bundle.full_name(),
             outcome.bundle.digest.short_hex(), target_name(outcome.design.target), outcome.design.device,
             outcome.design.cycles);
  print_stages(report);
  fmt::print("\n");
  for (const std::string& stage : report.left_out) fmt::print("does not apply: {}\n", stage);
  if (report.entries > 0) {
    fmt::print("{} of {} table entries were seen such that an error of one would show\n",
               report.entries_exact, report.entries);
  }
  const double rate =
      report.simulation_seconds > 0 ? static_cast<double>(report.rows) / report.simulation_seconds : 0;
  fmt::print("{} rows in {:.1f} s of simulation, {:.0f} a second; {:.1f} s with building ({:.1f} s)\n",
             report.rows, report.simulation_seconds, rate, outcome.seconds, outcome.build_seconds);
  if (outcome.proofs) print_proofs(*outcome.proofs);
  for (const Fault& fault : report.faults) fmt::print("\n{}", to_string(fault));
  if (!report.faults.empty()) fmt::print("\n");
  fmt::print("\n{}\n", report.equal() ? "equal: the design gives the model's bits" : "NOT EQUAL");
}

/// A folder that goes with the program's end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kanc-prove-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Result<ProveReport> prove(const Arguments& arguments, const kan::Bundle& bundle,
                          const HardwareDesign& design) {
  const ScratchFolder folder;
  if (folder.path().empty()) return fail(ErrorCode::kIo, "cannot make a folder for Yosys to work in");
  ProveOptions options;
  options.folder = folder.path();
  options.seed = arguments.verify.seed;
  options.progress = arguments.verify.progress;
  return prove_design(bundle, design, options);
}

Result<void> check_provable(const Arguments& arguments, const HardwareDesign& design) {
  if (!arguments.prove || !design.overlay) return {};
  return fail(
      ErrorCode::kUnsupported,
      "--prove: the design is an overlay, whose tables are memory and no logic to prove; leave it out, "
      "or compile with --target fixed");
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int run(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  const auto bundle = kan::load_bundle(arguments.bundle);
  if (!bundle) return report_failure(bundle.error(), base::kExitInput);
  const auto design = read_design(*bundle);
  if (!design) return report_failure(design.error(), base::kExitInput);
  if (auto ok = check_provable(arguments, *design); !ok)
    return report_failure(ok.error().within(bundle->full_name()), base::kExitInput);
  const auto file = build_rtl_library(*bundle, *design, arguments.build);
  if (!file) return report_failure(file.error(), base::kExitInput);
  const auto library = kan::RtlLibrary::open(*file);
  if (!library) return report_failure(library.error(), base::kExitInput);
  const double build_seconds = seconds_since(begin);
  auto report = verify_design(*bundle, *design, **library, arguments.verify);
  if (!report) return report_failure(report.error(), base::kExitInput);
  Outcome outcome{*bundle, *design, std::move(*report), std::nullopt, build_seconds, 0.0};
  if (arguments.prove) {
    auto proofs = prove(arguments, *bundle, *design);
    if (!proofs) return report_failure(proofs.error(), base::kExitInput);
    outcome.proofs = std::move(*proofs);
  }
  outcome.seconds = seconds_since(begin);
  if (arguments.json) {
    print_json(outcome);
  } else {
    print_text(outcome);
  }
  return outcome.good() ? base::kExitOk : base::kExitFailed;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_code) {
  CLI::App* const verify =
      app.add_subcommand("verify", "Simulate a compiled design and compare it with its model, bit for bit");
  const auto arguments = std::make_shared<Arguments>();
  verify->add_option("design", arguments->bundle, "The bundle with its design, from kanc compile")
      ->required();
  verify->add_option("--random", arguments->verify.random, "Random events through the design and each layer")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  verify->add_option("--seed", arguments->verify.seed, "Seed of everything random")->capture_default_str();
  verify->add_flag(
      "--prove", arguments->prove,
      "Also let Yosys prove every edge's logic against its table, on its own models of the cells");
  verify->add_flag("--json", arguments->json, "Print one JSON object");
  verify->add_option("--keep", arguments->build.keep,
                     "Build in this new folder and leave Verilator's output there");
  verify->add_option("--build-folder", arguments->build.cache,
                     "Where built simulations are kept for the next time (default: below the user's cache)");
  verify->footer(
      "Compares golden vectors, boundary codes and random events through the whole design, and through each "
      "layer\n"
      "every code of every edge in settings where an entry that is off by one shows, and every combination "
      "of small\n"
      "nodes. What differs is named: edge, code, what came and what was expected.\n"
      "An overlay is loaded with the model, first in bank 0 and then in bank 1, and driven as a whole: what "
      "does not\n"
      "apply to it is said.\n"
      "Needs verilator and g++, for --prove also yosys (deploy/install-deps.sh --hardware).\n\n"
      "Example:\n"
      "  kanc verify jets-1.1.0-rtl --random 100000\n\n"
      "Exit codes: 0 equal, 1 not equal or not proved, 2 wrong command line, 3 wrong or missing input or "
      "tool.");
  arguments->build.progress = [](std::string_view what) { fmt::print(stderr, "{} ...\n", what); };
  arguments->verify.progress = arguments->build.progress;
  verify->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace kantrig::compiler
