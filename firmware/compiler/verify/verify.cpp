#include "compiler/verify/verify.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "compiler/hardware/overlay_tables.hpp"
#include "compiler/verify/codes.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::uint32_t kBackgroundsPerCode = 2;  // of an input's sweep through the whole model

/// Seeds of the stages differ, so that none repeats another's rows.
enum Purpose : std::uint64_t { kRandom = 1, kBoundary, kOthers, kSweep };

class Verification {
 public:
  Verification(const kan::Bundle& bundle, const HardwareDesign& design, const kan::RtlLibrary& library,
               const VerifyOptions& options)
      : bundle_(bundle), design_(design), library_(library), options_(options) {}

  Result<VerifyReport> run() {
    for (std::size_t l = 0; l < design_.layers.size(); ++l) {
      if (auto ok = verify_layer(l); !ok) return tl::unexpected(ok.error());
    }
    auto ok = design_.overlay ? verify_banks() : verify_datapath();
    if (!ok) return tl::unexpected(ok.error());
    return std::move(report_);
  }

 private:
  /// One unit while it is being verified.
  struct Unit {
    std::string name;
    const std::vector<HardwareField>& outputs;
    CodeSpace space;
    UnitTester tester;
    std::uint64_t seed;
  };

  StageResult begin_stage(const Unit& unit, const std::string& name) const {
    if (options_.progress) options_.progress(fmt::format("{} {}", unit.name, name));
    StageResult stage;
    stage.unit = unit.name;
    stage.stage = name;
    return stage;
  }

  Result<void> run_stage(Unit& unit, const std::string& name, std::uint64_t rows,
                         const UnitTester::Fill& fill) {
    StageResult stage = begin_stage(unit, name);
    stage.rows = rows;
    stage.values = rows * unit.tester.values_per_row();
    auto ok = unit.tester.run(rows, fill, [&](const Mismatch& mismatch, std::span<const std::uint16_t>) {
      note_mismatch(stage, unit, mismatch);
    });
    if (ok) report_.stages.push_back(std::move(stage));
    return ok;
  }

  static void note_mismatch(StageResult& stage, const Unit& unit, const Mismatch& mismatch) {
    if (stage.differing++ > 0) return;
    stage.example = mismatch;
    const bool node = mismatch.output < unit.outputs.size();
    stage.example_name = node ? unit.outputs[mismatch.output].name : "score of the output stage";
  }

  Result<void> run_random(Unit& unit, std::uint64_t rows) {
    const std::uint64_t seed = mix(unit.seed, kRandom);
    return run_stage(unit, "random", rows, [&](std::uint64_t number, std::span<std::uint16_t> row) {
      unit.space.random_row(seed, number, row);
    });
  }

  void close(const Unit& unit) {
    report_.rows += unit.tester.rows_compared();
    report_.simulation_seconds += unit.tester.simulation_seconds();
  }

  Result<void> verify_datapath() {
    auto instance = library_.create(0);
    if (!instance) return tl::unexpected(instance.error());
    return verify_whole(std::move(*instance), "kan_datapath", mix(options_.seed, 0));
  }

  /// Either bank beside one that is empty, so that what comes from the wrong one differs.
  Result<void> verify_banks() {
    auto instance = library_.create(0);  // with the model in bank 0
    if (!instance) return tl::unexpected(instance.error());
    if (auto ok = verify_whole(std::move(*instance), "kan_datapath bank 0", mix(options_.seed, 0)); !ok)
      return ok;
    instance = library_.create(0);
    if (!instance) return tl::unexpected(instance.error());
    if (auto ok = move_to_bank_one(*instance); !ok) return ok;
    if (bundle_.model.layers.size() > 1) {
      report_.left_out.emplace_back(
          "every code of every edge, layer by layer: an overlay's layers cannot be driven by themselves");
    }
    report_.left_out.emplace_back(
        "every input of a node: an overlay's layers cannot be driven by themselves");
    return verify_whole(std::move(*instance), "kan_datapath bank 1", mix(options_.seed, 1));
  }

  Result<void> move_to_bank_one(kan::RtlInstance& instance) {
    const auto old = overlay_table_words(bundle_.model, *design_.overlay, TableBank::kZero);
    if (!old) return tl::unexpected(old.error());
    auto words = overlay_table_words(bundle_.model, *design_.overlay, TableBank::kOne);
    if (!words) return tl::unexpected(words.error());
    for (const TableWord& word : *old) words->push_back({word.address, 0});
    for (const TableWord& word : *words) {
      if (instance.write_table(word.address, word.data)) continue;
      return fail(ErrorCode::kCorrupt, "kan_datapath: an assertion of the design failed at table word {:#x}",
                  word.address);
    }
    instance.use_bank(1);
    return {};
  }

  Result<void> verify_whole(kan::RtlInstance instance, const std::string& name, std::uint64_t seed) {
    auto reference = UnitReference::of_model(bundle_.model);
    if (!reference) return tl::unexpected(reference.error());
    Unit unit{name, design_.outputs, CodeSpace(design_.inputs),
              UnitTester(std::move(instance), std::move(*reference)), seed};
    if (auto ok = run_golden(unit); !ok) return ok;
    if (auto ok = run_boundary(unit); !ok) return ok;
    if (auto ok = run_input_sweeps(unit); !ok) return ok;
    if (design_.overlay) {
      if (auto ok = sweep_first_edges(unit); !ok) return ok;
    }
    if (auto ok = run_random(unit, options_.random); !ok) return ok;
    std::vector<std::uint32_t> all(unit.space.input_count());
    std::iota(all.begin(), all.end(), 0U);
    const std::uint64_t rows = unit.space.combinations(all, kExhaustiveMax);
    if (rows <= kExhaustiveMax) {
      auto ok = run_stage(unit, "every input", rows, [&](std::uint64_t number, std::span<std::uint16_t> row) {
        unit.space.combination(all, number, row);
      });
      if (!ok) return ok;
    }
    close(unit);
    return {};
  }

  Result<void> run_golden(Unit& unit) {
    const kan::GoldenVectors& golden = bundle_.golden;
    return run_stage(unit, "golden", golden.count, [&](std::uint64_t number, std::span<std::uint16_t> row) {
      std::ranges::copy(std::span(golden.inputs).subspan(number * row.size(), row.size()), row.begin());
    });
  }

  /// All inputs lowest, all highest, each input at either end among the others at the other end.
  Result<void> run_boundary(Unit& unit) {
    const std::size_t inputs = unit.space.input_count();
    return run_stage(unit, "boundary", 2 + 2 * inputs,
                     [&](std::uint64_t number, std::span<std::uint16_t> row) {
                       const bool high = number % 2 == 1;
                       for (std::size_t i = 0; i < inputs; ++i) {
                         const auto& codes = unit.space.codes(i);
                         const bool flipped = number >= 2 && i == (number - 2) / 2;
                         row[i] = high != flipped ? codes.back() : codes.front();
                       }
                     });
  }

  /// Every code of each input, in random settings of the others.
  Result<void> run_input_sweeps(Unit& unit) {
    std::vector<std::pair<std::uint32_t, std::uint16_t>> steps;
    for (std::uint32_t i = 0; i < unit.space.input_count(); ++i) {
      for (const std::uint16_t code : unit.space.codes(i))
        steps.insert(steps.end(), kBackgroundsPerCode, {i, code});
    }
    const std::uint64_t seed = mix(unit.seed, kBoundary);
    return run_stage(unit, "input sweeps", steps.size(),
                     [&](std::uint64_t number, std::span<std::uint16_t> row) {
                       unit.space.random_row(seed, number, row);
                       row[steps[number].first] = steps[number].second;
                     });
  }

  /// Every code of every edge of layer 0, where kan_datapath is all that can be driven. Behind other layers
  /// an error of one may go unseen, so these entries do not count as swept.
  Result<void> sweep_first_edges(Unit& unit) {
    const kan::Layer& layer = bundle_.model.layers.front();
    const bool only = bundle_.model.layers.size() == 1;
    StageResult stage = begin_stage(unit, only ? "every code of every edge" : "every edge of layer 0");
    for (std::uint32_t k = 0; k < layer.nodes.size(); ++k) {
      const EdgeSweep sweep(layer, k, unit.space, mix(unit.seed, kSweep));
      const auto fill = [&](std::uint64_t number, std::span<std::uint16_t> row) { sweep.fill(number, row); };
      const auto report = [&](const Mismatch& mismatch, std::span<const std::uint16_t>) {
        note_mismatch(stage, unit, mismatch);
      };
      if (auto ok = unit.tester.run(sweep.steps().size(), fill, report); !ok) return ok;
      stage.rows += sweep.steps().size();
      report_.entries += only ? sweep.entries() : 0;
      report_.entries_exact += only ? sweep.entries_seen_exactly() : 0;
    }
    stage.values = stage.rows * unit.tester.values_per_row();
    if (!only) stage.note = "seen through the layers behind it";
    report_.stages.push_back(std::move(stage));
    return {};
  }

  Result<void> verify_layer(std::size_t l) {
    auto reference = UnitReference::of_layer(bundle_.model, l);
    if (!reference) return tl::unexpected(reference.error());
    auto instance = library_.create(static_cast<std::uint32_t>(1 + l));
    if (!instance) return tl::unexpected(instance.error());
    const HardwareLayer& layer = design_.layers[l];
    Unit unit{layer.module, layer.outputs, CodeSpace(layer.inputs),
              UnitTester(std::move(*instance), std::move(*reference)), mix(options_.seed, 1 + l)};
    if (auto ok = sweep_edges(unit, l); !ok) return ok;
    if (auto ok = exhaust_nodes(unit, l); !ok) return ok;
    if (auto ok = run_random(unit, options_.random); !ok) return ok;
    close(unit);
    return {};
  }

  Result<void> sweep_edges(Unit& unit, std::size_t l) {
    const kan::Layer& layer = bundle_.model.layers[l];
    StageResult stage = begin_stage(unit, "every code of every edge");
    for (std::uint32_t k = 0; k < layer.nodes.size(); ++k) {
      const EdgeSweep sweep(layer, k, unit.space, mix(unit.seed, kSweep));
      bool differs = false;
      const auto fill = [&](std::uint64_t number, std::span<std::uint16_t> row) { sweep.fill(number, row); };
      const auto report = [&](const Mismatch& mismatch, std::span<const std::uint16_t>) {
        note_mismatch(stage, unit, mismatch);
        differs = differs || mismatch.output == k;
      };
      if (auto ok = unit.tester.run(sweep.steps().size(), fill, report); !ok) return ok;
      stage.rows += sweep.steps().size();
      report_.entries += sweep.entries();
      report_.entries_exact += sweep.entries_seen_exactly();
      if (!differs) continue;
      auto faults = locate_faults(unit.tester, sweep, static_cast<std::uint32_t>(l), k);
      if (!faults) return tl::unexpected(faults.error());
      add_faults(std::move(*faults), design_.layers[l]);
    }
    stage.values = stage.rows * unit.tester.values_per_row();
    report_.stages.push_back(std::move(stage));
    return {};
  }

  void add_faults(std::vector<Fault> faults, const HardwareLayer& layer) {
    for (Fault& fault : faults) {
      fault.node_name = layer.outputs[fault.node].name;
      if (fault.input) fault.input_name = layer.inputs[*fault.input].name;
      report_.faults.push_back(std::move(fault));
    }
  }

  /// Every combination of the inputs of each node that has few enough; the other inputs run at random.
  Result<void> exhaust_nodes(Unit& unit, std::size_t l) {
    const kan::Layer& layer = bundle_.model.layers[l];
    std::uint32_t done = 0;
    std::uint64_t rows = 0;
    StageResult stage = begin_stage(unit, "every input of a node");
    for (const kan::Node& node : layer.nodes) {
      std::vector<std::uint32_t> inputs;
      for (std::uint32_t e = node.edge_begin; e < node.edge_end; ++e) inputs.push_back(layer.edges[e].input);
      rows = unit.space.combinations(inputs, kExhaustiveMax);
      if (rows > kExhaustiveMax || exhaustive_rows_ + rows > kExhaustiveTotalMax) continue;
      exhaustive_rows_ += rows;
      const std::uint64_t seed = mix(unit.seed, kOthers + done);
      const auto fill = [&](std::uint64_t number, std::span<std::uint16_t> row) {
        unit.space.random_row(seed, number, row);
        unit.space.combination(inputs, number, row);
      };
      const auto report = [&](const Mismatch& mismatch, std::span<const std::uint16_t>) {
        note_mismatch(stage, unit, mismatch);
      };
      if (auto ok = unit.tester.run(rows, fill, report); !ok) return ok;
      stage.rows += rows;
      ++done;
    }
    stage.values = stage.rows * unit.tester.values_per_row();
    stage.note = fmt::format("{} of {} nodes: the others have too many inputs", done, layer.nodes.size());
    if (done == layer.nodes.size()) stage.note = "all nodes";
    report_.stages.push_back(std::move(stage));
    return {};
  }

  const kan::Bundle& bundle_;
  const HardwareDesign& design_;
  const kan::RtlLibrary& library_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::uint64_t exhaustive_rows_ = 0;
};

}  // namespace

bool VerifyReport::equal() const {
  return std::ranges::all_of(stages, [](const StageResult& stage) { return stage.differing == 0; });
}

Result<VerifyReport> verify_design(const kan::Bundle& bundle, const HardwareDesign& design,
                                   const kan::RtlLibrary& library, const VerifyOptions& options) {
  const std::uint32_t banks = design.overlay ? 2 : 0;
  if (library.units().size() != 1 + design.layers.size() || library.model_digest() != design.model_digest ||
      library.bank_count() != banks)
    return fail(ErrorCode::kInvalid, "the simulation is of another design");
  return Verification(bundle, design, library, options).run();
}

}  // namespace kantrig::compiler
