// replay_golden() of bundle.hpp, apart from bundle.cpp: reading a bundle needs no kernels.
#include <algorithm>

#include "kan/bundle.hpp"
#include "kan/reference.hpp"

namespace kantrig::kan {
namespace {

/// Who is compared with which vectors, for errors.
struct Replay {
  const Bundle& bundle;
  std::string_view what;
};

tl::unexpected<Error> differs(const Replay& replay, const std::string& where, int got, int expected) {
  return fail(ErrorCode::kCorrupt, "bundle {}: golden {}: {} gives {}, expected {}",
              replay.bundle.full_name(), where, replay.what, got, expected);
}

/// Compares a batch whose first event is vector `first`.
Result<void> compare(const Replay& replay, const BatchResults& results, std::uint32_t first,
                     std::uint32_t events) {
  const std::uint32_t outputs = replay.bundle.model.output_count();
  for (std::uint32_t i = 0; i < events; ++i) {
    const auto expected =
        std::span(replay.bundle.golden.outputs).subspan(std::size_t{first + i} * outputs, outputs);
    for (std::uint32_t k = 0; k < outputs; ++k) {
      const int got = results.outputs[k][i];
      if (got == expected[k]) continue;
      return differs(replay, fmt::format("vector {} output {}", first + i, k), got, expected[k]);
    }
    const int got_class = results.classes[i];
    if (got_class != reference_class(replay.bundle.model, expected))
      return differs(replay, fmt::format("vector {} class", first + i), got_class,
                     reference_class(replay.bundle.model, expected));
  }
  return {};
}

}  // namespace

GoldenVectors golden_nodes(const GoldenVectors& golden, const Model& model, std::uint32_t count) {
  const std::size_t inputs = model.input_count();
  GoldenVectors nodes;
  nodes.count = std::min(count, golden.count);
  nodes.inputs.assign(golden.inputs.begin(),
                      golden.inputs.begin() + static_cast<std::ptrdiff_t>(nodes.count * inputs));
  if (!model.output_stage) {
    const auto end = static_cast<std::ptrdiff_t>(std::size_t{nodes.count} * model.output_count());
    nodes.outputs.assign(golden.outputs.begin(), golden.outputs.begin() + end);
    return nodes;
  }
  for (std::size_t i = 0; i < nodes.count; ++i) {
    const auto given = reference_nodes(model, std::span(nodes.inputs).subspan(i * inputs, inputs));
    nodes.outputs.insert(nodes.outputs.end(), given.begin(), given.end());
  }
  return nodes;
}

Result<void> replay_golden(const Bundle& bundle, std::string_view what, const RunBatch& run) {
  const std::uint32_t inputs = bundle.model.input_count();
  for (std::uint32_t first = 0; first < bundle.golden.count; first += kGoldenBatchEvents) {
    const std::uint32_t events = std::min(kGoldenBatchEvents, bundle.golden.count - first);
    const auto codes =
        std::span(bundle.golden.inputs).subspan(std::size_t{first} * inputs, std::size_t{events} * inputs);
    const BatchResults results = run(codes, events);
    if (results.malformed != 0) {
      return fail(ErrorCode::kCorrupt, "bundle {}: golden vectors {} to {}: {} finds codes out of range",
                  bundle.full_name(), first, first + events - 1, what);
    }
    if (auto ok = compare({bundle, what}, results, first, events); !ok) return ok;
  }
  return {};
}

Result<void> replay_golden(const Bundle& bundle, const Evaluator& evaluator) {
  if (evaluator.model().input_count() != bundle.model.input_count() ||
      evaluator.model().output_count() != bundle.model.output_count()) {
    return fail(ErrorCode::kInvalid, "bundle {}: the evaluator is of another model", bundle.full_name());
  }
  Workspace workspace(evaluator, kGoldenBatchEvents);
  std::vector<const std::int16_t*> outputs;
  for (std::uint32_t k = 0; k < bundle.model.output_count(); ++k) outputs.push_back(workspace.outputs(k));
  const auto run = [&](std::span<const std::uint16_t> codes, std::uint32_t events) {
    const std::uint32_t malformed = evaluator.load_code16(std::as_bytes(codes), events, workspace);
    evaluator.evaluate(workspace);
    return BatchResults{outputs, workspace.classes(), malformed};
  };
  return replay_golden(bundle, fmt::format("kernel set {}", evaluator.kernel_set()), run);
}

}  // namespace kantrig::kan
