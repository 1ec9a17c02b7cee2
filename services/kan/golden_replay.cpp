// replay_golden() of bundle.hpp, apart from bundle.cpp: reading a bundle needs no kernels.
#include <algorithm>

#include "kan/bundle.hpp"
#include "kan/reference.hpp"

namespace kantrig::kan {
namespace {

constexpr std::uint32_t kEventsPerBatch = 256;

tl::unexpected<Error> differs(const Bundle& bundle, const Evaluator& evaluator, const std::string& where,
                              int got, int expected) {
  return fail(ErrorCode::kCorrupt, "bundle {}: golden {}: kernel set {} gives {}, expected {}",
              bundle.full_name(), where, evaluator.kernel_set(), got, expected);
}

/// Compares the batch in `workspace`, whose first event is vector `first`.
Result<void> compare(const Bundle& bundle, const Evaluator& evaluator, const Workspace& workspace,
                     std::uint32_t first, std::uint32_t events) {
  const std::uint32_t outputs = bundle.model.output_count();
  for (std::uint32_t i = 0; i < events; ++i) {
    const auto expected = std::span(bundle.golden.outputs).subspan(std::size_t{first + i} * outputs, outputs);
    for (std::uint32_t k = 0; k < outputs; ++k) {
      const int got = workspace.outputs(k)[i];
      if (got == expected[k]) continue;
      return differs(bundle, evaluator, fmt::format("vector {} output {}", first + i, k), got, expected[k]);
    }
    const int got_class = workspace.classes()[i];
    if (got_class != reference_class(expected)) {
      return differs(bundle, evaluator, fmt::format("vector {} class", first + i), got_class,
                     reference_class(expected));
    }
  }
  return {};
}

}  // namespace

Result<void> replay_golden(const Bundle& bundle, const Evaluator& evaluator) {
  const std::uint32_t inputs = bundle.model.input_count();
  if (evaluator.model().input_count() != inputs ||
      evaluator.model().output_count() != bundle.model.output_count()) {
    return fail(ErrorCode::kInvalid, "bundle {}: the evaluator is of another model", bundle.full_name());
  }
  Workspace workspace(evaluator, kEventsPerBatch);
  for (std::uint32_t first = 0; first < bundle.golden.count; first += kEventsPerBatch) {
    const std::uint32_t events = std::min(kEventsPerBatch, bundle.golden.count - first);
    const auto codes =
        std::span(bundle.golden.inputs).subspan(std::size_t{first} * inputs, std::size_t{events} * inputs);
    if (evaluator.load_code16(std::as_bytes(codes), events, workspace) != 0) {
      return fail(ErrorCode::kCorrupt,
                  "bundle {}: golden vectors {} to {}: kernel set {} finds codes out of range",
                  bundle.full_name(), first, first + events - 1, evaluator.kernel_set());
    }
    evaluator.evaluate(workspace);
    if (auto ok = compare(bundle, evaluator, workspace, first, events); !ok) return ok;
  }
  return {};
}

}  // namespace kantrig::kan
