#include "rtl/overlay_bench.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/assert.hpp"
#include "base/file.hpp"

namespace kantrig::test {
namespace {

using compiler::OverlayShape;

/// Bits [offset, offset + width) of a port.
struct Field {
  std::uint32_t offset = 0;
  std::uint32_t width = 0;
};

std::size_t words_of(std::uint32_t bits) {
  return (bits + 31) / 32;
}

void put_field(std::uint32_t* words, const Field& field, std::uint32_t value) {
  for (std::uint32_t b = 0; b < field.width; ++b) {
    const std::uint32_t bit = field.offset + b;
    words[bit / 32] |= (value >> b & 1U) << (bit % 32);
  }
}

std::int16_t get_field(const std::uint32_t* words, const Field& field) {
  std::uint32_t value = 0;
  for (std::uint32_t b = 0; b < 16; ++b) {
    const std::uint32_t bit = field.offset + std::min(b, field.width - 1);  // the sign goes on
    value |= (words[bit / 32] >> (bit % 32) & 1U) << b;
  }
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(value));
}

/// As overlay_driver.cpp reads it: bit 0 bank, bit 1 valid; address; data; codes.
std::vector<std::uint32_t> records(const OverlayShape& shape, std::span<const Clock> clocks) {
  const std::uint32_t width = shape.code_bits.front();
  const std::size_t size = 3 + words_of(shape.sizes.front() * width);
  std::vector<std::uint32_t> words(size * clocks.size());
  for (std::size_t t = 0; t < clocks.size(); ++t) {
    const Clock& clock = clocks[t];
    std::uint32_t* const record = &words[t * size];
    record[0] = clock.bank | (clock.table_valid ? 2U : 0U);
    record[1] = clock.word.address;
    record[2] = clock.word.data;
    for (std::uint32_t i = 0; i < clock.codes.size(); ++i) {
      put_field(record + 3, {.offset = i * width, .width = width}, clock.codes[i]);
    }
  }
  return words;
}

}  // namespace

CommandOutcome run_tool(const std::string& command) {
  return run_command("( " + command + " ) 2>&1");
}

void write_design(const compiler::CompiledDesign& design, const std::filesystem::path& folder) {
  for (const auto& [name, text] : design.files) {
    const auto written = base::write_file_atomic(folder / name, text);
    KANTRIG_ASSERT(written.has_value());
  }
}

std::string file_list(const compiler::CompiledDesign& design, const std::filesystem::path& folder) {
  std::string list;
  for (const std::string& file : design.design.files) list += (folder / file).string() + " ";
  return list;
}

Result<std::unique_ptr<OverlayBench>> OverlayBench::build(const compiler::CompiledDesign& design) {
  std::unique_ptr<OverlayBench> bench(new OverlayBench(design.design));
  const std::filesystem::path& folder = bench->folder_.path();
  write_design(design, folder);
  const CommandOutcome built =
      run_tool(fmt::format("verilator --cc --exe --build -O3 --x-initial unique --top-module kan_datapath "
                           "-CFLAGS '-Os -std=gnu++17' "
                           "--Mdir {0}/obj {1} {2}/tests/rtl/overlay_driver.cpp -o {0}/driver",
                           folder.string(), file_list(design, folder), KANTRIG_SOURCE_DIR));
  if (built.exit_code != 0) return fail(ErrorCode::kInvalid, "verilator: {}", built.output);
  return bench;
}

Result<std::vector<std::vector<std::int16_t>>> OverlayBench::run(std::span<const Clock> clocks,
                                                                 int seed) const {
  const std::filesystem::path in = folder_.path() / "in";
  const std::filesystem::path out = folder_.path() / "out";
  const OverlayShape& shape = *design_.overlay;
  const std::vector<std::uint32_t> words = records(shape, clocks);
  if (auto ok = base::write_file_atomic(
          in, std::string_view(reinterpret_cast<const char*>(words.data()), words.size() * 4));
      !ok) {
    return tl::unexpected(ok.error());
  }
  const std::size_t output_words = words_of(design_.output_width);
  const CommandOutcome ran =
      run_tool(fmt::format("{}/driver {} {} {} < {} > {}", folder_.path().string(),
                           words_of(design_.input_width), output_words, seed, in.string(), out.string()));
  if (ran.exit_code != 0)
    return fail(ErrorCode::kInvalid, "driver: exit code {} {}", ran.exit_code, ran.output);
  const auto bytes = base::read_file(out, std::size_t{1} << 30U);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != clocks.size() * output_words * 4) {
    return fail(ErrorCode::kCorrupt, "driver: {} bytes for {} clocks", bytes->size(), clocks.size());
  }
  std::vector<std::vector<std::int16_t>> scores(clocks.size());
  std::vector<std::uint32_t> row(output_words);
  for (std::size_t t = 0; t < clocks.size(); ++t) {
    std::memcpy(row.data(), bytes->data() + t * output_words * 4, output_words * 4);
    for (std::uint32_t k = 0; k < shape.sizes.back(); ++k) {
      scores[t].push_back(
          get_field(row.data(), {.offset = k * shape.output_bits, .width = shape.output_bits}));
    }
  }
  return scores;
}

}  // namespace kantrig::test
