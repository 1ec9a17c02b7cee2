// published_structure: writes the baseline of a bundle as Verilog, by itself, for a look or another tool.
// Usage: published_structure BUNDLE OUT [ADD_OPERANDS]
#include <fmt/core.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "kan/bundle.hpp"
#include "synth/published_structure.hpp"

namespace {

int failed(const kantrig::Error& error, kantrig::base::ExitCode code) {
  fmt::print(stderr, "published_structure: error: {}\n", error.message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace kantrig;
  std::uint32_t operands = 4;
  if (argc == 4) {
    const std::string_view text(argv[3]);
    if (std::from_chars(text.data(), text.data() + text.size(), operands).ec != std::errc{}) argc = 0;
  }
  if (argc != 3 && argc != 4) {
    fmt::print(stderr, "usage: published_structure BUNDLE OUT [ADD_OPERANDS]\nWrites OUT/baseline.v.\n");
    return base::kExitUsage;
  }
  const auto bundle = kan::load_bundle(argv[1]);
  if (!bundle) return failed(bundle.error(), base::kExitInput);
  const auto baseline = synth::published_structure(bundle->model, operands);
  if (!baseline) return failed(baseline.error(), base::kExitInput);
  std::error_code error;
  std::filesystem::create_directories(argv[2], error);
  const std::filesystem::path out = std::filesystem::path(argv[2]) / "baseline.v";
  if (const auto written = base::write_file_atomic(out, baseline->verilog); !written) {
    return failed(written.error(), base::kExitOutput);
  }
  fmt::print("{}: {} cycles, {} bits in, {} bits out\n", out.string(), baseline->cycles,
             baseline->input_width, baseline->output_width);
  return base::kExitOk;
}
