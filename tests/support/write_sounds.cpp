// Writes what an autoencoder of machine sounds learns from, for measurements: write_sounds FOLDER ROWS
// gives spec.toml, normal.csv (ROWS sounds, to learn from) and mixed.csv (4000 others, a quarter anomalies).
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "support/machine_sounds.hpp"

int main(int argc, char** argv) {
  using namespace kantrig;
  const long rows = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 0;
  if (rows < 1 || rows > 10'000'000) {
    std::fprintf(stderr, "usage: write_sounds FOLDER ROWS\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const auto normal = test::machine_sounds(static_cast<std::size_t>(rows), 0, 1);
  const auto mixed = test::machine_sounds(4'000, 4, 2);
  for (const auto& [name, text] : {std::pair("spec.toml", test::sound_specification(15)),
                                   std::pair("normal.csv", test::sounds_csv(normal, false)),
                                   std::pair("mixed.csv", test::sounds_csv(mixed, true))}) {
    if (const auto ok = base::write_file_atomic(folder / name, text); !ok)
      return std::fprintf(stderr, "%s\n", ok.error().message.c_str()), 1;
  }
  return 0;
}
