// Bytes as model.pb: what decode_model() lets through is safe to evaluate, and comes back the same when it is
// written.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "kan/model_proto.hpp"
#include "kan/reference.hpp"

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
    static_cast<void>(kan::decode_golden(bytes, *model));
  }
  static_cast<void>(kan::decode_reference(bytes));
  return 0;
}
