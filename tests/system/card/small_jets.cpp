#include "system/card/small_jets.hpp"

#include <fmt/core.h>

#include <random>
#include <span>
#include <utility>

#include "kan/reference.hpp"
#include "support/command.hpp"
#include "support/daemon.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kHiddenNodes = 2;
constexpr std::int32_t kHiddenHigh = 15;  // 4-bit codes
constexpr std::uint32_t kShift = 2;

/// Tables of -span .. span for every edge of a layer whose nodes are fed by all inputs.
kan::Layer random_layer(std::vector<std::uint32_t> input_codes, std::uint32_t nodes, kan::Node form, int span,
                        std::mt19937_64& random) {
  kan::Layer layer;
  layer.input_codes = std::move(input_codes);
  for (std::uint32_t k = 0; k < nodes; ++k) {
    kan::Node node = form;
    node.edge_begin = static_cast<std::uint32_t>(layer.edges.size());
    for (std::uint32_t j = 0; j < layer.input_codes.size(); ++j) {
      layer.edges.push_back({j, static_cast<std::uint32_t>(layer.tables.size())});
      for (std::uint32_t code = 0; code < layer.input_codes[j]; ++code)
        layer.tables.push_back(static_cast<std::int16_t>(
            static_cast<int>(random() % static_cast<unsigned>(2 * span + 1)) - span));
    }
    node.edge_end = static_cast<std::uint32_t>(layer.edges.size());
    layer.nodes.push_back(node);
  }
  return layer;
}

Result<void> run_kanc(const std::string& arguments) {
  const CommandOutcome outcome = run_command(fmt::format("{} {} 2>&1", program("kanc").string(), arguments));
  if (outcome.exit_code == 0) return {};
  return fail(ErrorCode::kIo, "kanc {}: exit code {}\n{}", arguments, outcome.exit_code, outcome.output);
}

}  // namespace

kan::Bundle small_jets(const kan::Bundle& shipped, const std::string& version, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  kan::Bundle bundle = shipped;
  bundle.version = version;
  std::vector<std::uint32_t> codes;
  for (const kan::InputFeature& input : bundle.model.inputs) codes.push_back(1U << input.bits);
  bundle.model.layers = {
      random_layer(codes, kHiddenNodes, {.bias = 20, .shift = kShift, .low = 0, .high = kHiddenHigh}, 7,
                   random),
      random_layer(std::vector<std::uint32_t>(kHiddenNodes, kHiddenHigh + 1), shipped.model.output_count(),
                   {.bias = 0, .shift = 0, .low = -128, .high = 127}, 60, random)};
  bundle.reference = {};
  bundle.report_json.clear();
  bundle.golden.outputs.clear();
  const std::uint32_t inputs = bundle.model.input_count();
  for (std::uint32_t i = 0; i < bundle.golden.count; ++i) {
    const auto outputs = kan::reference_outputs(
        bundle.model, std::span(bundle.golden.inputs).subspan(std::size_t{i} * inputs, inputs));
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
  return bundle;
}

Result<void> write_card_bundle(const kan::Bundle& bundle, CardTarget target,
                               const std::filesystem::path& folder, std::uint32_t compute_units) {
  const TemporaryFolder work;
  const auto source = work.path() / "source" / bundle.full_name();
  const auto compiled = work.path() / "compiled" / bundle.full_name();
  for (const auto& path : {source, compiled}) std::filesystem::create_directories(path.parent_path());
  if (const auto written = kan::write_bundle(bundle, source, kan::Overwrite::kRefuse); !written)
    return tl::unexpected(written.error());
  const std::string shape =
      "--target overlay --shape 16-2-5 --code-bits 6,4 --entry-bits 8 --sum-bits 12 --shift-max 2 "
      "--output-bits 8";
  const std::string target_options = target == CardTarget::kFixed ? "--target fixed" : shape;
  if (auto ok =
          run_kanc(fmt::format("compile {} {} --out {}", source.string(), target_options, compiled.string()));
      !ok)
    return ok;
  return run_kanc(fmt::format("pack {} --platform emulated --compute-units {} --build-folder {} --out {}",
                              compiled.string(), compute_units,
                              (std::filesystem::path(KANTRIG_BINARY_DIR) / "tests" / "rtl_cache").string(),
                              folder.string()));
}

}  // namespace kantrig::test
