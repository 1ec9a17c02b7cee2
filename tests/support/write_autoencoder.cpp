// Writes the autoencoder of autoencoder_bundle.hpp as a bundle, for measurements: write_autoencoder FOLDER
// [squared]
#include <cstdio>
#include <string_view>

#include "support/autoencoder_bundle.hpp"

int main(int argc, char** argv) {
  using namespace kantrig;
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: write_autoencoder FOLDER [squared]\n");
    return 2;
  }
  const bool squared = argc == 3 && std::string_view(argv[2]) == "squared";
  const auto bundle = test::sound_bundle(
      squared ? kan::DistanceMeasure::kSquared : kan::DistanceMeasure::kAbsolute, 180.0, 1);
  if (!bundle) return std::fprintf(stderr, "%s\n", bundle.error().message.c_str()), 1;
  const auto written = kan::write_bundle(*bundle, argv[1], kan::Overwrite::kRefuse);
  if (!written) return std::fprintf(stderr, "%s\n", written.error().message.c_str()), 1;
  return 0;
}
