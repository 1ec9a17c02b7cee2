// Netlist: one layer in terms of the cells of firmware/rtl, each with its pipeline stage. It can be executed.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/hardware/truth_table.hpp"

namespace kantrig::compiler {

enum class CellKind : std::uint8_t {
  kLut,        // inputs: up to 6 nets; output = init[inputs]
  kMux,        // inputs: low, high, select: the wide multiplexer behind two LUTs (F7) or two of these (F8)
  kAdd2,       // a + b + carries[0]
  kAddLookup,  // a + table[inputs] + carries[0], the table of at most 5 inputs inside the adder's LUTs
  kAdd3,       // a + b + c + carries[0] + carries[1], one LUT a column
};

/// Adders work on `a.size()` columns; operands have that length, kNetZero where there is nothing. There may
/// be one or two outputs more than columns (two only for kAdd3), or fewer, when higher ones are known to be
/// 0.
struct Cell {
  CellKind kind = CellKind::kLut;
  std::uint32_t stage = 0;
  std::vector<Net> inputs;
  std::uint64_t init = 0;             // kLut
  std::vector<Net> a, b, c;           // adders
  std::vector<std::uint32_t> tables;  // kAddLookup: one a column
  std::vector<Net> carries;           // weight of column 0
  std::vector<Net> outputs;
};

/// What a net is called in the generated source: bit `bit` of word `word`.
struct NetName {
  std::uint32_t word = 0;
  std::uint32_t bit = 0;
};

/// Where a net is made: 0 levels at a register's output, 1 behind a LUT, ...; behind a carry chain or not.
struct Timing {
  std::uint32_t stage = 0;
  std::uint32_t level = 0;
  bool behind_chain = false;
};

/// Registers are not cells: a net used at a later stage than its own is delayed by as many registers.
class Netlist {
 public:
  Netlist();

  /// A word of new nets from outside, by default at a register's output of stage 0.
  [[nodiscard]] std::vector<Net> add_input(const std::string& name, std::uint32_t width, Timing timing = {});
  /// The nets that leave the layer, at stage `stage` all of them.
  void set_outputs(std::vector<Net> outputs, std::uint32_t stage);

  /// Adds a LUT or gives the one that is there already with the same inputs and table.
  Net add_lut(std::uint32_t stage, std::span<const Net> inputs, std::uint64_t init, const std::string& word);
  Net add_mux(std::uint32_t stage, Net low, Net high, Net select, const std::string& word);
  /// Adds an adder with `output_count` outputs and gives these.
  std::vector<Net> add_adder(Cell cell, std::uint32_t output_count, const std::string& word);

  /// Removes cells and nets that no output depends on.
  void remove_dead_cells();

  [[nodiscard]] std::span<const Cell> cells() const { return cells_; }
  [[nodiscard]] std::span<const Net> inputs() const { return inputs_; }
  [[nodiscard]] std::span<const Net> outputs() const { return outputs_; }
  [[nodiscard]] std::uint32_t output_stage() const { return output_stage_; }
  [[nodiscard]] std::uint32_t net_count() const { return static_cast<std::uint32_t>(timing_.size()); }
  [[nodiscard]] const Timing& timing(Net net) const { return timing_[net]; }
  [[nodiscard]] const NetName& name(Net net) const { return names_[net]; }
  [[nodiscard]] const std::string& word(std::uint32_t index) const { return words_[index]; }

  /// The most LUT levels between two registers.
  [[nodiscard]] std::uint32_t levels_max() const;
  /// Whether some carry chain starts behind another one within a stage.
  [[nodiscard]] bool has_chains_in_series() const;
  /// The longest carry chain, in columns.
  [[nodiscard]] std::uint32_t carry_bits_max() const;

  /// For every net the last stage that uses it (its own when nobody does).
  [[nodiscard]] std::vector<std::uint32_t> last_uses() const;
  /// Bits of registers: every net needs one for each stage between its own and its last use.
  [[nodiscard]] std::uint32_t register_count() const;

  /// Runs 64 events at once: bit e of inputs[i] is net inputs()[i] in event e. Returns the outputs likewise.
  [[nodiscard]] std::vector<std::uint64_t> execute(std::span<const std::uint64_t> inputs) const;

 private:
  Net add_net(const std::string& word, Timing timing);
  [[nodiscard]] Timing after(std::uint32_t stage, std::span<const Net> nets, std::uint32_t levels) const;

  std::vector<Cell> cells_;  // each after those it uses
  std::vector<Net> inputs_;
  std::vector<Net> outputs_;
  std::uint32_t output_stage_ = 0;
  std::vector<Timing> timing_;
  std::vector<NetName> names_;
  std::vector<std::string> words_;
  std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> word_sizes_;  // index, bits so far
  std::map<std::pair<std::pair<std::uint32_t, std::vector<Net>>, std::uint64_t>, Net> luts_;
};

/// The compiler's count in halves of a LUT: two functions of together at most 5 inputs share one.
[[nodiscard]] std::uint32_t half_luts(const Cell& cell);

/// Every net that `cell` reads; kNetZero and kNetOne among them.
[[nodiscard]] std::vector<Net> nets_read(const Cell& cell);

}  // namespace kantrig::compiler
