// Drives a Verilated kan_datapath clock by clock: records from stdin, scores to stdout. Built by
// overlay_bench.cpp, which says what a record is, together with what Verilator makes of the design.
#include <verilated.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
#include <vector>

#include "Vkan_datapath.h"

namespace {

template <typename Port>
void set_port(Port& port, const std::uint32_t* words, std::size_t count) {
  if constexpr (std::is_integral_v<Port>) {
    std::uint64_t value = words[0];
    if (count > 1) value |= static_cast<std::uint64_t>(words[1]) << 32U;
    port = static_cast<Port>(value);
  } else {
    for (std::size_t i = 0; i < count; ++i) port[i] = words[i];
  }
}

template <typename Port>
void get_port(const Port& port, std::uint32_t* words, std::size_t count) {
  if constexpr (std::is_integral_v<Port>) {
    words[0] = static_cast<std::uint32_t>(port);
    if (count > 1) words[1] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(port) >> 32U);
  } else {
    for (std::size_t i = 0; i < count; ++i) words[i] = port[i];
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::size_t input_words = std::strtoul(argv[1], nullptr, 10);
  const std::size_t output_words = std::strtoul(argv[2], nullptr, 10);
  VerilatedContext context;
  context.randReset(2);  // registers and memories start with anything
  context.randSeed(static_cast<int>(std::strtol(argv[3], nullptr, 10)));
  Vkan_datapath datapath(&context);
  std::vector<std::uint32_t> record(3 + input_words);
  std::vector<std::uint32_t> scores(output_words);
  datapath.clk_i = 0;
  datapath.eval();
  while (std::fread(record.data(), 4, record.size(), stdin) == record.size()) {
    datapath.bank_i = record[0] & 1U;
    datapath.table_valid_i = record[0] >> 1U & 1U;
    datapath.table_address_i = record[1];
    datapath.table_data_i = record[2];
    set_port(datapath.codes_i, record.data() + 3, input_words);
    datapath.eval();
    get_port(datapath.scores_o, scores.data(), output_words);
    if (std::fwrite(scores.data(), 4, output_words, stdout) != output_words) return 1;
    datapath.clk_i = 1;
    datapath.eval();
    datapath.clk_i = 0;
    datapath.eval();
  }
  datapath.final();
  return 0;
}
