#include "compiler/hardware/adder_tree.hpp"

#include <algorithm>
#include <bit>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "compiler/hardware/lut_builder.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::size_t kSmallBits = 3;  // of words that go wherever an adder has room

std::vector<std::uint32_t> heights_of(const std::vector<SumWord>& words) {
  std::vector<std::uint32_t> columns;
  for (const SumWord& word : words) {
    if (columns.size() < word.end()) columns.resize(word.end(), 0);
    for (std::uint32_t i = 0; i < word.nets.size(); ++i) {
      if (word.nets[i] != kNetZero) ++columns[word.column + i];
    }
  }
  return columns;
}

std::uint32_t height_of(const std::vector<SumWord>& words) {
  const std::vector<std::uint32_t> columns = heights_of(words);
  return columns.empty() ? 0 : *std::ranges::max_element(columns);
}

/// The lowest column that holds the most nets.
std::uint32_t highest_column(const std::vector<SumWord>& words) {
  const std::vector<std::uint32_t> columns = heights_of(words);
  return static_cast<std::uint32_t>(std::ranges::max_element(columns) - columns.begin());
}

std::uint32_t power_of_3(std::uint32_t exponent) {
  std::uint32_t result = 1;
  for (std::uint32_t i = 0; i < exponent && result < 1U << 20U; ++i) result *= 3;
  return result;
}

}  // namespace

struct AdderTree::Operands {
  std::uint32_t column = 0;
  std::vector<std::vector<Net>> rows;  // 1 (beside a table), 2 or 3, all of one length
  std::vector<std::uint32_t> tables;   // of kAddLookup
  std::vector<Net> select;
  std::vector<Net> carries;
  std::size_t carries_max = 1;
  std::uint64_t max = 0;
};

void AdderTree::add(SumWord word) {
  while (!word.nets.empty() && word.nets.back() == kNetZero) word.nets.pop_back();
  if (!word.nets.empty()) words_.push_back(std::move(word));
}

std::uint32_t AdderTree::height() const {
  return height_of(words_);
}

void AdderTree::place_small_words(Operands& operands) {
  std::ranges::stable_sort(words_, std::ranges::greater{},
                           [](const SumWord& word) { return word.nets.size(); });
  for (std::size_t w = 0; w < words_.size();) {
    const SumWord& word = words_[w];
    if (word.nets.size() > kSmallBits) {
      ++w;
      continue;
    }
    Operands tried = operands;
    const bool placed = std::ranges::all_of(word.nets, [&, i = 0U](Net net) mutable {
      const std::uint32_t at = word.column + i++;
      if (at < tried.column) return false;
      for (std::vector<Net>& row : tried.rows) {
        if (at - tried.column >= row.size() || row[at - tried.column] != kNetZero) continue;
        row[at - tried.column] = net;
        return true;
      }
      if (at != tried.column || tried.carries.size() == tried.carries_max) return false;
      tried.carries.push_back(net);
      return true;
    });
    if (!placed) {
      ++w;
      continue;
    }
    tried.max += word.max;
    operands = std::move(tried);
    words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(w));
  }
}

SumWord AdderTree::finish(std::uint32_t stage, Operands operands, CellKind kind) {
  const std::uint64_t max = std::min(operands.max, sum_max_);
  const auto width = static_cast<std::uint32_t>(std::bit_width(max >> operands.column));
  // The majority of the last column needs a column of its own, unless there is just one net in that column.
  const auto in_last =
      std::ranges::count_if(operands.rows, [](const auto& row) { return row.back() != kNetZero; });
  if (kind == CellKind::kAdd3 && width > operands.rows[0].size() && in_last > 1) {
    for (std::vector<Net>& row : operands.rows) row.push_back(kNetZero);
  }
  Cell cell{.kind = kind,
            .stage = stage,
            .inputs = std::move(operands.select),
            .init = 0,
            .a = operands.rows[0],
            .b = {},
            .c = {},
            .tables = std::move(operands.tables),
            .carries = std::move(operands.carries),
            .outputs = {}};
  if (operands.rows.size() > 1) cell.b = operands.rows[1];
  if (operands.rows.size() > 2) cell.c = operands.rows[2];
  const std::uint32_t outputs = std::min(width, static_cast<std::uint32_t>(cell.a.size()) + 1);
  return {.column = operands.column,
          .nets = netlist_.add_adder(std::move(cell), outputs, fmt::format("{}{}", name_, made_++)),
          .max = max,
          .levels = 0,
          .chained = true};
}

SumWord AdderTree::sum(std::uint32_t stage, std::vector<SumWord> operands, bool ternary) {
  Operands all;
  all.carries_max = ternary ? 2 : 1;
  all.column = operands[0].column;
  std::uint32_t end = 0;
  for (const SumWord& word : operands) {
    all.column = std::min(all.column, word.column);
    end = std::max(end, word.end());
    all.max += word.max;
  }
  for (const SumWord& word : operands) {
    std::vector<Net> row(end - all.column, kNetZero);
    std::ranges::copy(word.nets, row.begin() + (word.column - all.column));
    all.rows.push_back(std::move(row));
  }
  place_small_words(all);
  return finish(stage, std::move(all), ternary ? CellKind::kAdd3 : CellKind::kAdd2);
}

void AdderTree::fold(std::uint32_t stage, std::size_t addend, const RealisedWord& table) {
  const SumWord word = words_[addend];
  words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(addend));
  Operands all;
  all.column = std::min(word.column, table.column);
  const auto table_end = table.column + static_cast<std::uint32_t>(table.bits.size());
  std::vector<Net> row(std::max(word.end(), table_end) - all.column, kNetZero);
  std::ranges::copy(word.nets, row.begin() + (word.column - all.column));
  for (const TruthTable& bit : table.bits) {
    for (const Net net : bit.variables) {
      if (std::ranges::find(all.select, net) == all.select.end()) all.select.push_back(net);
    }
  }
  KANTRIG_ASSERT(all.select.size() <= 5);
  std::ranges::sort(all.select);
  all.tables.assign(row.size(), 0);
  for (std::size_t b = 0; b < table.bits.size(); ++b) {
    std::uint32_t init = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      std::size_t index = 0;
      for (std::size_t v = 0; v < table.bits[b].variables.size(); ++v) {
        const auto at = std::ranges::find(all.select, table.bits[b].variables[v]) - all.select.begin();
        index |= ((i >> at) & 1U) << v;
      }
      if (table.bits[b].value[index] == Trit::kOne) init |= 1U << i;
    }
    all.tables[table.column - all.column + b] = init;
  }
  all.rows.push_back(std::move(row));
  all.max = word.max + table.max;
  // A row of the table's own must stay as it is: only the carry input is free.
  if (const auto bit = std::ranges::find_if(words_,
                                            [&](const SumWord& one) {
                                              return one.nets.size() == 1 && one.column == all.column &&
                                                     chainable(one);
                                            });
      bit != words_.end()) {
    all.carries.push_back(bit->nets[0]);
    all.max += bit->max;
    words_.erase(bit);
  }
  words_.push_back(finish(stage, std::move(all), CellKind::kAddLookup));
}

void AdderTree::pair_up(std::uint32_t stage, std::uint32_t height_max) {
  while (height() > height_max) {
    const std::uint32_t column = highest_column(words_);
    std::vector<std::size_t> there;  // the narrowest first: adding two of them costs least
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const SumWord& word = words_[w];
      if (word.column <= column && column < word.end() && chainable(word)) there.push_back(w);
    }
    if (there.size() < 2) return;
    std::ranges::stable_sort(there, std::ranges::less{},
                             [&](std::size_t w) { return words_[w].nets.size(); });
    std::vector<SumWord> pair{words_[there[0]], words_[there[1]]};
    words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(std::max(there[0], there[1])));
    words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(std::min(there[0], there[1])));
    std::vector<SumWord> late;  // what cannot go into this stage's chains
    std::erase_if(words_, [&](const SumWord& word) {
      if (chainable(word)) return false;
      late.push_back(word);
      return true;
    });
    SumWord added = sum(stage, std::move(pair), false);
    words_.push_back(std::move(added));
    words_.insert(words_.end(), late.begin(), late.end());
  }
}

void AdderTree::compress(std::uint32_t stage, std::uint32_t stages_left) {
  const std::uint32_t target = power_of_3(stages_left - 1);
  std::vector<SumWord> done;
  const auto total_height = [&] {
    std::vector<SumWord> all = done;
    all.insert(all.end(), words_.begin(), words_.end());
    return height_of(all);
  };
  while (words_.size() > 1) {
    const bool enough = total_height() <= target;
    if (enough && (words_.size() < 3 || height_of(words_) < 3)) break;
    std::ranges::stable_sort(words_, std::ranges::greater{},
                             [](const SumWord& word) { return word.nets.size(); });
    // A third operand that is one bit in the lowest column is a carry input: two operands do.
    const std::uint32_t lowest = std::min(words_[0].column, words_[1].column);
    const bool two = words_.size() == 2 ||
                     (words_.size() == 3 && words_[2].nets.size() == 1 && words_[2].column == lowest);
    std::vector<SumWord> operands(words_.begin(), words_.begin() + (two ? 2 : 3));
    words_.erase(words_.begin(), words_.begin() + (two ? 2 : 3));
    done.push_back(sum(stage, std::move(operands), !two));
  }
  words_.insert(words_.end(), done.begin(), done.end());
}

void AdderTree::finish_pair(std::uint32_t stage) {
  std::ranges::stable_sort(words_, std::ranges::greater{},
                           [](const SumWord& word) { return word.nets.size(); });
  std::vector<SumWord> pair(words_.begin(), words_.begin() + 2);
  words_.erase(words_.begin(), words_.begin() + 2);
  words_.push_back(sum(stage, std::move(pair), false));
}

}  // namespace kantrig::compiler
