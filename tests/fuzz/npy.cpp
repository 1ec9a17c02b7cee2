// Bytes as .npy, .csv and text vectors: every reader of a user's file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/csv.hpp"
#include "base/npy.hpp"
#include "kan/verify_vectors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kantrig;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto table = base::parse_npy(bytes, "x.npy");
  if (table && table->values.size() != table->rows * table->columns) std::abort();
  static_cast<void>(base::parse_npy_integers(bytes, "y.npy"));
  const auto csv = base::parse_csv(bytes, "x.csv", "");
  if (csv && csv->labels.size() != csv->features.rows) std::abort();
  if (csv && csv->features.values.size() != csv->features.rows * csv->features.columns) std::abort();
  const auto vectors = kan::parse_text_vectors(bytes, "v.txt");
  if (vectors && vectors->values.size() != std::size_t{vectors->count} * vectors->width) std::abort();
  return 0;
}
