#include "compiler/verify/fault.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

namespace kantrig::compiler {
namespace {

/// A node whose rows are wrong more often than this differs as a whole.
constexpr std::uint64_t kNodePercent = 50;

/// Edge of the node, and code.
using Entry = std::pair<std::uint32_t, std::uint16_t>;

struct WrongRow {
  Mismatch mismatch;
  std::vector<std::uint16_t> codes;  // of the node's edges
};

struct Evidence {
  std::map<Entry, std::uint64_t> rows;  // how many rows have this code on this edge
  std::vector<WrongRow> wrong;
};

Result<Evidence> collect(UnitTester& tester, const EdgeSweep& sweep, std::uint32_t node) {
  Evidence evidence;
  const auto inputs = sweep.inputs();
  const auto fill = [&](std::uint64_t number, std::span<std::uint16_t> row) {
    sweep.fill(number, row);
    for (std::uint32_t e = 0; e < inputs.size(); ++e) ++evidence.rows[{e, row[inputs[e]]}];
  };
  const auto report = [&](const Mismatch& mismatch, std::span<const std::uint16_t> row) {
    if (mismatch.output != node) return;
    WrongRow& wrong = evidence.wrong.emplace_back(WrongRow{mismatch, {}});
    for (const std::uint32_t input : inputs) wrong.codes.push_back(row[input]);
  };
  if (auto ok = tester.run(sweep.steps().size(), fill, report); !ok) return tl::unexpected(ok.error());
  return evidence;
}

/// The code that explains most: many of the wrong rows have it, and most rows that have it are wrong.
std::optional<Entry> best_entry(const Evidence& evidence) {
  std::map<Entry, std::uint64_t> wrong;
  for (const WrongRow& row : evidence.wrong) {
    for (std::uint32_t e = 0; e < row.codes.size(); ++e) ++wrong[{e, row.codes[e]}];
  }
  std::optional<Entry> best;
  double best_score = 0.0;
  for (const auto& [entry, count] : wrong) {
    const double n = static_cast<double>(count);
    const double score = n * n / static_cast<double>(evidence.rows.at(entry));
    if (score <= best_score) continue;
    best_score = score;
    best = entry;
  }
  return best;
}

bool has_entry(const WrongRow& row, const Entry& entry) {
  return row.codes[entry.first] == entry.second;
}

/// Takes the rows that `entry` explains out of the evidence.
Fault take_entry(Evidence& evidence, const Entry& entry, std::uint32_t input) {
  const auto has = [&](const WrongRow& row) { return has_entry(row, entry); };
  Fault fault;
  fault.input = input;
  fault.code = entry.second;
  fault.settings = evidence.rows[entry];
  fault.differing = static_cast<std::uint64_t>(std::ranges::count_if(evidence.wrong, has));
  fault.example = std::ranges::find_if(evidence.wrong, has)->mismatch;
  std::erase_if(evidence.wrong, has);
  return fault;
}

}  // namespace

std::string to_string(const Fault& fault) {
  std::string text = fmt::format("layer {}, ", fault.layer);
  if (!fault.input) {
    text += fmt::format("node {} ({})", fault.node_name, fault.node);
  } else {
    text += fmt::format("edge {} -> {} (input {}, node {})", fault.input_name, fault.node_name, *fault.input,
                        fault.node);
  }
  if (fault.code) text += fmt::format(", code {}", *fault.code);
  return text + fmt::format(": differs in {} of {} settings; for one, the design gives {}, expected {}",
                            fault.differing, fault.settings, fault.example.got, fault.example.expected);
}

Result<std::vector<Fault>> locate_faults(UnitTester& tester, const EdgeSweep& sweep, std::uint32_t layer,
                                         std::uint32_t node) {
  auto evidence = collect(tester, sweep, node);
  if (!evidence) return tl::unexpected(evidence.error());
  std::vector<Fault> faults;
  const std::uint64_t rows = sweep.steps().size();
  if (evidence->wrong.empty()) return faults;
  if (evidence->wrong.size() * 100 > rows * kNodePercent) {
    Fault& fault = faults.emplace_back();
    fault.settings = rows;
    fault.differing = evidence->wrong.size();
    fault.example = evidence->wrong.front().mismatch;
    evidence->wrong.clear();
  }
  while (faults.size() < kFaultsPerNode) {
    const auto entry = best_entry(*evidence);
    if (!entry) break;
    faults.push_back(take_entry(*evidence, *entry, sweep.inputs()[entry->first]));
  }
  for (Fault& fault : faults) {
    fault.layer = layer;
    fault.node = node;
  }
  return faults;
}

}  // namespace kantrig::compiler
