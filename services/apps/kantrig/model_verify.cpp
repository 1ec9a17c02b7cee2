// kantrig model verify: does this machine compute a bundle's model exactly? Needs no daemon.
#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"
#include "kan/bundle.hpp"
#include "kan/verify_vectors.hpp"

#include <nlohmann/json.hpp>

namespace kantrig::apps {
namespace {

constexpr std::array<const char*, 3> kKernelSets = {"scalar", "avx2", "avx512"};

struct VerifyOptions {
  std::filesystem::path bundle;
  std::filesystem::path inputs;
  std::filesystem::path expect;
  std::filesystem::path public_keys;
  std::string kernel_set = "auto";
  bool json = false;
};

struct Vectors {
  kan::TextVectors inputs;
  kan::TextVectors expected;
};

/// What one kernel set made of the vectors; without a result it cannot run here, and `reason` says why.
struct SetResult {
  std::string kernel_set;
  std::optional<kan::VerifyResult> result;
  std::string reason;
};

Vectors golden_vectors(const kan::Bundle& bundle) {
  const kan::GoldenVectors& golden = bundle.golden;
  return {.inputs = {golden.count, bundle.model.input_count(), {golden.inputs.begin(), golden.inputs.end()}},
          .expected = {
              golden.count, bundle.model.output_count(), {golden.outputs.begin(), golden.outputs.end()}}};
}

Result<Vectors> vectors_of(const VerifyOptions& options, const kan::Bundle& bundle) {
  if (options.inputs.empty()) return golden_vectors(bundle);
  auto inputs = kan::read_text_vectors(options.inputs);
  if (!inputs) return tl::unexpected(inputs.error());
  auto expected = kan::read_text_vectors(options.expect);
  if (!expected) return tl::unexpected(expected.error());
  return Vectors{std::move(*inputs), std::move(*expected)};
}

Result<SetResult> verify_set(const kan::Bundle& bundle, const Vectors& vectors,
                             const std::string& kernel_set) {
  const auto evaluator = kan::Evaluator::create(bundle.model, kernel_set);
  if (!evaluator && evaluator.error().code == ErrorCode::kUnsupported)
    return SetResult{kernel_set, {}, evaluator.error().message};
  if (!evaluator) return tl::unexpected(evaluator.error());
  const auto result = kan::verify_vectors(*evaluator, vectors.inputs, vectors.expected);
  if (!result) return tl::unexpected(result.error());
  return SetResult{std::string(evaluator->kernel_set()), *result, {}};
}

std::string set_text(const SetResult& set) {
  if (!set.result) return fmt::format("{}: not run: {}\n", set.kernel_set, set.reason);
  std::string text =
      fmt::format("{}: {} of {} vectors agree\n", set.kernel_set, set.result->agreeing, set.result->vectors);
  if (const auto& first = set.result->first) {
    text += fmt::format("  first difference: vector {}, output {}: expected {}, got {}\n", first->vector,
                        first->output, first->expected, first->got);
  }
  return text;
}

int print_results(const VerifyOptions& options, const std::string& model,
                  const std::vector<SetResult>& sets) {
  std::string text = fmt::format("bundle {}\n", model);
  nlohmann::json json{{"model", model}, {"results", nlohmann::json::array()}};
  for (const SetResult& set : sets) {
    text += set_text(set);
    json["results"].push_back({{"kernel_set", set.kernel_set},
                               {"supported", set.result.has_value()},
                               {"vectors", set.result ? set.result->vectors : 0},
                               {"agreeing", set.result ? set.result->agreeing : 0}});
  }
  return print_text(options.json ? json.dump(2) + '\n' : text);
}

int wrong_input(const Error& error) {
  fmt::print(stderr, "kantrig: {}\n", error.message);
  return base::kExitInput;
}

int verify(const VerifyOptions& options) {
  const auto bundle = kan::load_bundle(
      options.bundle, {.required = !options.public_keys.empty(), .public_keys = options.public_keys});
  if (!bundle) return wrong_input(bundle.error());
  const auto vectors = vectors_of(options, *bundle);
  if (!vectors) return wrong_input(vectors.error());
  const bool all = options.kernel_set == "all";
  std::vector<std::string> names = {options.kernel_set};
  if (all) names.assign(kKernelSets.begin(), kKernelSets.end());
  std::vector<SetResult> sets;
  bool agree = true;
  for (const std::string& name : names) {
    auto set = verify_set(*bundle, *vectors, name);
    if (!set) return wrong_input(set.error());
    if (!set->result && !all) return wrong_input({ErrorCode::kUnsupported, set->reason});
    agree = agree && (!set->result || set->result->agreeing == set->result->vectors);
    sets.push_back(std::move(*set));
  }
  const int written = print_results(options, bundle->full_name(), sets);
  if (written != base::kExitOk) return written;
  return agree ? base::kExitOk : base::kExitFailed;
}

}  // namespace

void add_model_verify_command(CLI::App& model, int& exit_code) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      model.add_subcommand("verify", "Prove a bundle whole and replay vectors through it, without a daemon");
  command->add_option("BUNDLE", options->bundle, "Folder of the bundle")->required();
  CLI::Option* inputs = command->add_option(
      "--inputs", options->inputs, "Text file of input codes, one vector a line; else the golden vectors");
  CLI::Option* expect =
      command->add_option("--expect", options->expect, "Text file of the outputs that they must give");
  inputs->needs(expect);
  expect->needs(inputs);
  command->add_option("--kernel-set", options->kernel_set, "What computes")
      ->check(CLI::IsMember({"auto", "scalar", "avx2", "avx512", "all"}))
      ->capture_default_str();
  command->add_option("--public-keys", options->public_keys,
                      "Require a signature by one of the keys in this file");
  command->add_flag("--json", options->json, "Print JSON for scripts");
  command->footer(
      R"(Exits with 0 when every vector agrees in every kernel set that this CPU runs, with 1 when one does not, and with 3
when the bundle or a file of vectors is wrong.

Examples:
  kantrig model verify models/jets-1.1.0 --kernel-set all
  kantrig model verify B --inputs vectors_in.txt --expect vectors_out.txt)");
  command->callback([options, &exit_code] { exit_code = verify(*options); });
}

}  // namespace kantrig::apps
