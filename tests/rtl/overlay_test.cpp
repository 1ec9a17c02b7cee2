// The overlay in simulation: models are written while events flow, and each event sees exactly one of them.
#include "compiler/hardware/overlay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "kan/bundle.hpp"
#include "kan/reference.hpp"
#include "rtl/overlay_bench.hpp"
#include "rtl/overlay_models.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {
namespace {

using compiler::CompiledDesign;
using compiler::OverlayOptions;
using compiler::OverlayShape;
using compiler::TableBank;
using compiler::TableWord;

constexpr std::uint64_t kSeed = 20'260'731;

/// Any model makes the overlay of a shape; the small bundle fits all of these.
CompiledDesign overlay(const OverlayOptions& options) {
  auto compiled = compiler::compile_overlay(small_bundle(), options);
  EXPECT_TRUE(compiled.has_value()) << compiled.error().message;
  return *compiled;
}

// The smallest that shows everything: two layers, an odd number of terms, codes of different widths,
// shifters, two groups in a word's row (9 bits: three tables a word, so the second layer of three nodes would
// have one).
const OverlayOptions kSmall{.sizes = "4-4-3",
                            .code_bits = {5, 4},
                            .entry_bits = {9, 9},
                            .sum_bits = {13, 14},
                            .shift_max = {5, 3},
                            .output_bits = 8,
                            .device = "generic"};

/// One event and the model that it must have seen.
struct Stamp {
  std::size_t clock = 0;
  std::size_t model = 0;
};

/// Builds the history of an overlay's ports: models written into the idle bank in any order of words while
/// events flow through the other, with gaps in both; the flip comes the clock after the last word.
class History {
 public:
  History(const OverlayShape& shape, std::uint64_t seed) : shape_(shape), random_(seed) {}

  void add_model(Filling filling) {
    for (int attempt = 0; attempt < 1'000; ++attempt) {
      kan::Model model = random_overlay_model(shape_, random_, filling);
      if (!compiler::fits(model, shape_)) continue;
      ASSERT_TRUE(kan::check(model));
      models_.push_back(std::move(model));
      return;
    }
    FAIL() << "no model of 1000 fits";
  }

  /// Writes the newest model into `bank`; events, if any, see model `active` in the other bank.
  void load_newest(std::uint32_t bank, std::optional<std::size_t> active) {
    auto words = compiler::overlay_table_words(models_.back(), shape_, static_cast<TableBank>(bank));
    ASSERT_TRUE(words.has_value()) << words.error().message;
    if (known_.empty()) {
      for (const TableWord& word : *words) known_.insert(in_bank(word.address));
    }
    std::shuffle(words->begin(), words->end(), random_);
    std::size_t next = 0;
    while (next < words->size()) {
      Clock& clock = add_clock();
      if (draw(random_, 0, 9) < 8) {
        clock.table_valid = true;
        clock.word = (*words)[next++];
      } else {
        add_stray_word(clock);
      }
      if (active && draw(random_, 0, 3) != 0) add_event(clock, {clocks.size() - 1, *active}, bank ^ 1U);
    }
  }

  void drain(std::uint32_t cycles) {
    for (std::uint32_t i = 0; i <= cycles; ++i) add_clock();
  }

  [[nodiscard]] const kan::Model& model(std::size_t index) const { return models_[index]; }
  [[nodiscard]] std::size_t newest() const { return models_.size() - 1; }

  std::vector<Clock> clocks;
  std::vector<Stamp> events;

 private:
  /// No event: codes and bank are anything.
  Clock& add_clock() {
    Clock& clock = clocks.emplace_back();
    clock.bank = static_cast<std::uint32_t>(draw(random_, 0, 1));
    clock.word = {static_cast<std::uint32_t>(random_()), static_cast<std::uint32_t>(random_())};
    for (std::uint32_t i = 0; i < shape_.sizes[0]; ++i) {
      clock.codes.push_back(static_cast<std::uint32_t>(draw(random_, 0, (1 << shape_.code_bits[0]) - 1)));
    }
    return clock;
  }

  void add_event(Clock& clock, Stamp stamp, std::uint32_t bank) {
    clock.bank = bank;
    clock.codes = random_event(models_[stamp.model], shape_, random_);
    events.push_back(stamp);
  }

  /// A word for an address that the shape does not have, often next to one that it has.
  void add_stray_word(Clock& clock) {
    if (draw(random_, 0, 1) == 0) clock.word.address %= 2 * static_cast<std::uint32_t>(shape_.block_words());
    clock.table_valid = !known_.contains(in_bank(clock.word.address));
  }

  /// The address without its bank.
  [[nodiscard]] std::uint32_t in_bank(std::uint32_t address) const {
    return address & ~static_cast<std::uint32_t>(shape_.block_words());
  }

  OverlayShape shape_;
  Random random_;
  std::vector<kan::Model> models_;
  std::unordered_set<std::uint32_t> known_;
};

std::vector<std::int16_t> reference(const kan::Model& model, const std::vector<std::uint32_t>& codes) {
  std::vector<std::uint16_t> of_model;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    // A neighbouring model may have fewer bits: what it would say is asked for as well.
    of_model.push_back(static_cast<std::uint16_t>(codes[i] & ((1U << model.inputs[i].bits) - 1)));
  }
  return kan::reference_outputs(model, of_model);
}

/// How many events differ from their own model and from the one before it, of all that are in `history`.
struct Outcome {
  std::size_t wrong = 0;
  std::size_t told_apart = 0;  // events that the model before would have answered otherwise
  std::size_t outputs = 0;
  std::size_t inside = 0;  // outputs at neither end of their range
  std::string first_wrong;
};

Outcome compare(const History& history, const std::vector<std::vector<std::int16_t>>& scores,
                std::uint32_t cycles) {
  Outcome outcome;
  for (const Stamp& stamp : history.events) {
    const std::vector<std::uint32_t>& codes = history.clocks[stamp.clock].codes;
    const auto expected = reference(history.model(stamp.model), codes);
    auto got = scores.at(stamp.clock + cycles);
    got.resize(expected.size());
    if (got != expected && outcome.wrong++ == 0) {
      outcome.first_wrong = "model " + std::to_string(stamp.model) + " clock " + std::to_string(stamp.clock) +
                            " got " + testing::PrintToString(got) + " expected " +
                            testing::PrintToString(expected);
    }
    outcome.outputs += expected.size();
    const std::vector<kan::Node>& nodes = history.model(stamp.model).layers.back().nodes;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      outcome.inside += expected[k] > nodes[k].low && expected[k] < nodes[k].high ? 1 : 0;
    }
    if (stamp.model == 0) continue;
    auto of_neighbour = reference(history.model(stamp.model - 1), codes);
    of_neighbour.resize(expected.size());
    outcome.told_apart += of_neighbour != expected ? 1 : 0;
  }
  return outcome;
}

/// Loads `models` one after another and flips; every event of every model is compared.
void load_while_events_flow(const CompiledDesign& design, const OverlayBench& bench, std::size_t models,
                            Filling filling) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  History history(*design.design.overlay, kSeed);
  history.add_model(filling);
  history.load_newest(0, std::nullopt);
  for (std::size_t m = 1; m <= models; ++m) {
    history.add_model(filling);
    if (testing::Test::HasFatalFailure()) return;
    history.load_newest(m % 2, m - 1);
  }
  history.drain(design.design.cycles);
  const auto scores = bench.run(history.clocks, static_cast<int>(kSeed));
  ASSERT_TRUE(scores.has_value()) << scores.error().message;
  const Outcome outcome = compare(history, *scores, design.design.cycles);
  EXPECT_EQ(outcome.wrong, 0U) << outcome.first_wrong;
  EXPECT_GT(history.events.size(), models * 50);
  EXPECT_GT(outcome.told_apart * 2, history.events.size()) << "models too alike to tell apart";
  EXPECT_GT(outcome.inside * 2, outcome.outputs) << "most outputs are clamped";
  std::printf(
      "%zu models, %zu events, %zu of which the model before answers otherwise; %zu of %zu outputs not "
      "clamped\n",
      models, history.events.size(), outcome.told_apart, outcome.inside, outcome.outputs);
}

class Overlay : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!has_program("verilator")) return;
    small_ = new CompiledDesign(overlay(kSmall));
    auto bench = OverlayBench::build(*small_);
    ASSERT_TRUE(bench.has_value()) << bench.error().message;
    bench_ = bench->release();
  }
  static void TearDownTestSuite() {
    delete bench_;
    delete small_;
    bench_ = nullptr;
    small_ = nullptr;
  }
  void SetUp() override {
    if (!has_program("verilator")) GTEST_SKIP() << "verilator is not installed";
  }
  static CompiledDesign* small_;
  static OverlayBench* bench_;
};
CompiledDesign* Overlay::small_ = nullptr;
OverlayBench* Overlay::bench_ = nullptr;

TEST_F(Overlay, AThousandModelsAreLoadedOneAfterAnotherWhileEventsFlow) {
  load_while_events_flow(*small_, *bench_, 1'000, Filling::kWhole);
}

TEST_F(Overlay, SmallerModelsFollowOnLargerOnes) {
  load_while_events_flow(*small_, *bench_, 200, Filling::kAny);
}

/// The one word in which two models differ in `bank`; none when there are several, or the second does not
/// fit.
std::optional<TableWord> one_change(const kan::Model& before, const kan::Model& after,
                                    const OverlayShape& shape) {
  const auto old_words = compiler::overlay_table_words(before, shape, TableBank::kZero);
  const auto new_words = compiler::overlay_table_words(after, shape, TableBank::kZero);
  if (!old_words || !new_words) return std::nullopt;
  std::optional<TableWord> change;
  for (std::size_t w = 0; w < new_words->size(); ++w) {
    if ((*new_words)[w] == (*old_words)[w]) continue;
    if (change) return std::nullopt;
    change = (*new_words)[w];
  }
  return change;
}

TEST_F(Overlay, AWordInTheActiveBankIsSeenByTheEventsAfterItAndByNoOthers) {
  const OverlayShape& shape = *small_->design.overlay;
  Random random(kSeed);
  History history(shape, kSeed);
  history.add_model(Filling::kWhole);
  history.load_newest(0, std::nullopt);
  kan::Model model = history.model(0);
  const std::size_t first = history.clocks.size();
  std::vector<std::vector<std::int16_t>> expected;
  std::size_t seen = 0;  // changes that change the answer to the event at hand
  while (expected.size() < 4'000) {
    kan::Model next = model;
    kan::Layer& layer = next.layers[static_cast<std::size_t>(draw(random, 0, 1))];
    if (draw(random, 0, 1) == 0) {
      layer.nodes[static_cast<std::size_t>(draw(random, 0, 2))].bias += draw(random, -9, 9);
    } else {
      const auto place = draw(random, 0, static_cast<std::int32_t>(layer.tables.size()) - 1);
      layer.tables[static_cast<std::size_t>(place)] = static_cast<std::int16_t>(draw(random, -256, 255));
    }
    const auto change = one_change(model, next, shape);
    if (!change) continue;
    // One event and one word in every clock: the event still sees the model without the word.
    const auto codes = random_event(model, shape, random);
    expected.push_back(reference(model, codes));
    seen += reference(next, codes) != expected.back() ? 1 : 0;
    history.clocks.push_back({.bank = 0, .table_valid = true, .word = *change, .codes = codes});
    model = next;
  }
  history.drain(small_->design.cycles);
  const auto scores = bench_->run(history.clocks, 1);
  ASSERT_TRUE(scores.has_value()) << scores.error().message;
  EXPECT_GT(seen, 400U);
  for (std::size_t e = 0; e < expected.size(); ++e) {
    ASSERT_EQ(scores->at(first + e + small_->design.cycles), expected[e]) << "event " << e;
  }
}

/// All of a bank in turn, as from memory, then the bundle's golden vectors, one a clock.
void replay_golden(const kan::Bundle& bundle, const CompiledDesign& design, const OverlayBench& bench) {
  const OverlayShape& shape = *design.design.overlay;
  const auto block = compiler::overlay_table_block(bundle.model, shape);
  ASSERT_TRUE(block.has_value()) << block.error().message;
  const std::vector<std::uint32_t> no_event(shape.sizes.front());
  std::vector<Clock> clocks;
  for (std::uint32_t w = 0; w < block->size(); ++w) {
    clocks.push_back({.bank = 0,
                      .table_valid = true,
                      .word = {overlay_bank_begin(shape, TableBank::kOne) + w, (*block)[w]},
                      .codes = no_event});
  }
  const std::size_t first = clocks.size();
  const std::size_t inputs = bundle.model.inputs.size();
  for (std::size_t v = 0; v < bundle.golden.count; ++v) {
    Clock& clock = clocks.emplace_back(Clock{.bank = 1, .table_valid = false, .word = {}, .codes = no_event});
    std::copy_n(bundle.golden.inputs.begin() + static_cast<std::ptrdiff_t>(v * inputs), inputs,
                clock.codes.begin());
  }
  clocks.resize(clocks.size() + design.design.cycles,
                Clock{.bank = 0, .table_valid = false, .word = {}, .codes = no_event});
  const auto scores = bench.run(clocks, 5);
  ASSERT_TRUE(scores.has_value()) << scores.error().message;
  const std::size_t outputs = bundle.model.output_count();
  for (std::size_t v = 0; v < bundle.golden.count; ++v) {
    auto got = scores->at(first + v + design.design.cycles);
    got.resize(outputs);
    const auto begin = bundle.golden.outputs.begin() + static_cast<std::ptrdiff_t>(v * outputs);
    ASSERT_EQ(got, std::vector<std::int16_t>(begin, begin + static_cast<std::ptrdiff_t>(outputs)))
        << "vector " << v;
  }
}

TEST(OverlayShapes, AnOverlayWithRoomForJetsReproducesItsGoldenVectorsAndServesOtherModels) {
  if (!has_program("verilator")) GTEST_SKIP() << "verilator is not installed";
  const auto jets = kan::load_bundle(std::string(KANTRIG_SOURCE_DIR) + "/firmware/models/jets/jets-1.1.0");
  ASSERT_TRUE(jets.has_value()) << jets.error().message;
  const auto design = compiler::compile_overlay(*jets, {.sizes = "16-10-5",
                                                        .code_bits = {6},
                                                        .entry_bits = {9},
                                                        .sum_bits = {14},
                                                        .shift_max = {4},
                                                        .output_bits = 8,
                                                        .device = "generic"});
  ASSERT_TRUE(design.has_value()) << design.error().message;
  const auto bench = OverlayBench::build(*design);
  ASSERT_TRUE(bench.has_value()) << bench.error().message;
  replay_golden(*jets, *design, **bench);
  load_while_events_flow(*design, **bench, 6, Filling::kWhole);
  load_while_events_flow(*design, **bench, 4, Filling::kAny);
}

TEST(OverlayShapes, ThreeLayersWithoutShiftersOfOneInputAndOneOutputWork) {
  if (!has_program("verilator")) GTEST_SKIP() << "verilator is not installed";
  kan::Bundle bundle = small_bundle();
  Random random(kSeed);
  const OverlayShape shape{.sizes = {1, 2, 1, 1},
                           .code_bits = {3, 2, 3},
                           .entry_bits = {4, 5, 6},
                           .sum_bits = {8, 8, 9},
                           .shift_max = {0, 0, 0},
                           .output_bits = 7};
  bundle.model = random_overlay_model(shape, random, Filling::kWhole);
  const auto design = compiler::compile_overlay(bundle, {.code_bits = shape.code_bits,
                                                         .entry_bits = shape.entry_bits,
                                                         .sum_bits = shape.sum_bits,
                                                         .shift_max = shape.shift_max,
                                                         .output_bits = shape.output_bits,
                                                         .device = "generic"});
  ASSERT_TRUE(design.has_value()) << design.error().message;
  const auto bench = OverlayBench::build(*design);
  ASSERT_TRUE(bench.has_value()) << bench.error().message;
  History history(shape, kSeed);
  for (std::size_t m = 0; m < 40; ++m) {
    history.add_model(Filling::kWhole);
    history.load_newest(m % 2, m == 0 ? std::nullopt : std::optional<std::size_t>(m - 1));
  }
  history.drain(design->design.cycles);
  const auto scores = (*bench)->run(history.clocks, 3);
  ASSERT_TRUE(scores.has_value()) << scores.error().message;
  const Outcome outcome = compare(history, *scores, design->design.cycles);
  EXPECT_EQ(outcome.wrong, 0U) << outcome.first_wrong;
  EXPECT_GT(history.events.size(), 300U);
}

}  // namespace
}  // namespace kantrig::test
