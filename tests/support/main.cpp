// main() of every test program: GoogleTest, and --kernel-set=NAME for contract tests.
#include <gtest/gtest.h>

#include <string_view>

#include "support/kernel_set_option.hpp"

namespace kantrig::test {
namespace {
std::string_view chosen = "scalar";
}  // namespace
std::string_view kernel_set_option() {
  return chosen;
}
}  // namespace kantrig::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr std::string_view kOption = "--kernel-set=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kOption)) kantrig::test::chosen = argument.substr(kOption.size());
  }
  return RUN_ALL_TESTS();
}
