// Bytes as model.pb: what decode_model() lets through is safe to evaluate, and comes back the same when it is
// written.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "kan/evaluator.hpp"
#include "kan/model_proto.hpp"
#include "kan/reference.hpp"

namespace {

using kantrig::kan::Model;

void expect_evaluator_agrees(const Model& model, const std::vector<std::uint16_t>& codes,
                             const std::vector<std::int16_t>& expected) {
  using namespace kantrig;
  constexpr std::uint32_t kEvents = 70;
  const auto evaluator = kan::Evaluator::create(model, "auto");
  if (!evaluator) std::abort();
  kan::Workspace space(*evaluator, kEvents);
  std::vector<std::uint16_t> rows;
  for (std::uint32_t i = 0; i < kEvents; ++i) rows.insert(rows.end(), codes.begin(), codes.end());
  const auto check = [&](std::uint32_t events) {
    for (std::uint32_t i = 0; i < events; ++i) {
      for (std::uint32_t k = 0; k < expected.size(); ++k) {
        if (space.outputs(k)[i] != expected[k]) std::abort();
      }
      if (space.classes()[i] != kan::reference_class(model, expected)) std::abort();
    }
  };
  for (const std::uint32_t events : {1U, kEvents}) {
    evaluator->load_code16(std::as_bytes(std::span(rows).first(events * codes.size())), events, space);
    evaluator->evaluate(space);
    check(events);
  }
  if (!model.output_stage) return;
  const std::size_t stride = kan::padded_events(kEvents);
  std::vector<std::int16_t> nodes;
  for (const std::int16_t node : kan::reference_nodes(model, codes)) nodes.insert(nodes.end(), stride, node);
  evaluator->score_nodes({nodes.data(), stride}, space);
  check(kEvents);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kantrig;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto model = kan::decode_model(bytes, false);
  if (model) {
    std::vector<std::uint16_t> codes(model->input_count(), 0);
    const auto lowest = kan::reference_outputs(*model, codes);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = static_cast<std::uint16_t>((1U << model->inputs[i].bits) - 1);
    }
    const auto highest = kan::reference_outputs(*model, codes);
    const auto again = kan::decode_model(kan::encode_model(*model), false);
    if (!again || kan::reference_outputs(*again, codes) != highest) std::abort();
    static_cast<void>(lowest);
    // Small ones also run on the best kernel set: one event, whole tiles, and an output stage alone.
    if (size <= 4096) expect_evaluator_agrees(*model, codes, highest);
    static_cast<void>(kan::decode_golden(bytes, *model));
  }
  static_cast<void>(kan::decode_reference(bytes));
  return 0;
}
