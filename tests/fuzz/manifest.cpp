// Bytes as manifest.json: what manifest_from_json() lets through can be written, and reads back as the same
// bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kan/manifest_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kantrig;
  const auto manifest = kan::manifest_from_json({reinterpret_cast<const char*>(data), size});
  if (!manifest) return 0;
  const auto json = kan::manifest_to_json(*manifest);
  if (!json) std::abort();
  const auto again = kan::manifest_from_json(*json);
  if (!again || kan::manifest_to_json(*again) != *json) std::abort();
  return 0;
}
