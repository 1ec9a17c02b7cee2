// A file built for an instruction set may hold no weak function: the linker could keep that copy for
// everyone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace kantrig::test {
namespace {

std::vector<std::string> wide_objects() {
  std::vector<std::string> objects;
  std::ifstream list(KANTRIG_KERNEL_OBJECTS);
  for (std::string line; std::getline(list, line);) {
    if (line.find("/avx") != std::string::npos) objects.push_back(line);
  }
  return objects;
}

/// Lines of `nm <object>`: "[address] type name".
std::vector<std::string> symbols(const std::string& object) {
  std::vector<std::string> lines;
  FILE* pipe = popen((std::string(KANTRIG_NM) + " -C '" + object + "'").c_str(), "r");
  if (pipe == nullptr) return lines;
  char line[4096];
  while (fgets(line, sizeof line, pipe) != nullptr) lines.emplace_back(line);
  return pclose(pipe) == 0 ? lines : std::vector<std::string>{};
}

char type_of(const std::string& line) {
  std::istringstream words(line);
  std::string first;
  std::string second;
  words >> first >> second;
  return first.size() == 1 ? first[0] : second[0];
}

TEST(KernelObjects, HoldNoWeakFunction) {
  const std::vector<std::string> objects = wide_objects();
#if defined(__x86_64__)
  ASSERT_GE(objects.size(), 4U) << "from " << KANTRIG_KERNEL_OBJECTS;
#endif
  for (const std::string& object : objects) {
    const std::vector<std::string> lines = symbols(object);
    bool has_code = false;
    for (const std::string& line : lines) {
      const char type = type_of(line);
      has_code = has_code || type == 'T';
      EXPECT_TRUE(type != 'W' && type != 'w' && type != 'u') << object << ": " << line;
    }
    EXPECT_TRUE(has_code) << object << ": nm listed nothing";
  }
}

TEST(KernelSources, IncludeOnlyTheirLayoutAndTheCompilersHeaders) {
  const std::vector<std::string> allowed = {"\"kernels/lut_layer.hpp\"", "<immintrin.h>", "<cstddef>",
                                            "<cstdint>"};
  for (const char* name : {"avx2.cpp", "avx2_input.cpp", "avx2_rows.cpp", "avx512.cpp", "avx512_input.cpp"}) {
    std::ifstream source(std::string(KANTRIG_SOURCE_DIR) + "/services/kernels/" + name);
    ASSERT_TRUE(source) << name;
    for (std::string line; std::getline(source, line);) {
      if (!line.starts_with("#include ")) continue;
      EXPECT_NE(std::find(allowed.begin(), allowed.end(), line.substr(9)), allowed.end())
          << name << ": " << line;
    }
  }
}

}  // namespace
}  // namespace kantrig::test
