// kanc verify and kanc simulate on overlays: hardware that is the model only once its tables are written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_builder.hpp"
#include "compiler/verify/verify.hpp"
#include "kan/bundle.hpp"
#include "kan/reference.hpp"
#include "kan/rtl_library.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::compiler {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

// Room for an entry that is changed.
constexpr const char* kRoom = "--entry-bits 12 --sum-bits 16";

class VerifyOverlay : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::can_simulate()) GTEST_SKIP() << test::kCannotSimulate;
  }

  static test::CommandOutcome kanc(const std::string& arguments) {
    return test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc " + arguments + " 2>&1");
  }
  static test::CommandOutcome kanc(const std::string& verb, const fs::path& design,
                                   const std::string& more = {}) {
    return kanc(verb + " " + design.string() + " --build-folder " + test::rtl_cache().string() + " " + more);
  }
  fs::path new_folder() { return folder_.path() / std::to_string(count_++); }
  fs::path write(const kan::Bundle& bundle) {
    fs::path folder = new_folder();
    const auto written = kan::write_bundle(bundle, folder, kan::Overwrite::kRefuse);
    EXPECT_TRUE(written) << written.error().message;
    return folder;
  }
  fs::path compiled(const std::string& options) {
    fs::path folder = new_folder();
    const auto outcome = kanc("compile " + write(test::two_layer_bundle()).string() +
                              " --target overlay --out " + folder.string() + " " + options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return folder;
  }
  kan::Bundle compiled_bundle(const std::string& options) {
    return kan::load_bundle(compiled(options)).value();
  }

  test::TemporaryFolder folder_;
  int count_ = 0;
};

/// The entry of an edge for a code.
std::int16_t& entry(kan::Model& model, std::size_t layer, std::uint32_t node, std::uint32_t edge,
                    std::uint32_t code) {
  kan::Layer& tables = model.layers[layer];
  return tables.tables[tables.edges[tables.nodes[node].edge_begin + edge].table_offset + code];
}

/// Every row of codes that the model has.
std::vector<std::vector<std::uint16_t>> every_row(const kan::Model& model) {
  std::vector<std::vector<std::uint16_t>> rows{{}};
  for (const kan::InputFeature& input : model.inputs) {
    std::vector<std::vector<std::uint16_t>> longer;
    for (const auto& row : rows) {
      for (std::uint32_t code = 0; code < 1U << input.bits; ++code) {
        longer.push_back(row);
        longer.back().push_back(static_cast<std::uint16_t>(code));
      }
    }
    rows = std::move(longer);
  }
  return rows;
}

/// The overlay's scores for `rows`, row by row.
std::vector<std::int32_t> scores(kan::RtlInstance& instance,
                                 const std::vector<std::vector<std::uint16_t>>& rows) {
  const kantrig_rtl_unit& unit = instance.unit();
  const std::uint32_t words = kan::row_words(unit.input_width);
  const std::uint32_t result_words = kan::row_words(unit.output_width);
  std::vector<std::uint32_t> packed(rows.size() * words);
  std::vector<std::uint32_t> results(rows.size() * result_words);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::uint32_t j = 0; j < unit.input_count; ++j)
      kan::put_field(&packed[i * words], unit.inputs[j], rows[i][j]);
  }
  EXPECT_TRUE(instance.run(packed, results, static_cast<std::uint32_t>(rows.size())));
  std::vector<std::int32_t> list;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::uint32_t k = 0; k < unit.output_count; ++k)
      list.push_back(kan::get_signed_field(&results[i * result_words], unit.outputs[k]));
  }
  return list;
}

std::vector<std::int32_t> expected_scores(const kan::Model& model,
                                          const std::vector<std::vector<std::uint16_t>>& rows) {
  std::vector<std::int32_t> list;
  for (const auto& row : rows) {
    for (const auto score : kan::reference_outputs(model, row)) list.push_back(score);
  }
  return list;
}

TEST_F(VerifyOverlay, WhatKancCompilesIsEqualInBothBanksAndEveryStage) {
  const auto outcome =
      kanc("verify", compiled(std::string("--device generic ") + kRoom), "--random 3000 --seed 5");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("equal: the design gives the model's bits"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("DIFFER")));
  for (const std::string bank : {"kan_datapath bank 0", "kan_datapath bank 1"}) {
    for (const std::string stage :
         {"golden", "boundary", "input sweeps", "every edge of layer 0", "random", "every input"}) {
      EXPECT_THAT(outcome.output, ContainsRegex(bank + " " + stage + " .* equal"));
    }
  }
  EXPECT_THAT(outcome.output, HasSubstr("does not apply: every code of every edge, layer by layer"));
}

TEST_F(VerifyOverlay, AModelSmallerThanAnOverlayForXilinxIsEqual) {
  const fs::path design = compiled("--device xcup --shape 5-6-3 --code-bits 6,7");
  const auto outcome = kanc("verify", design, "--random 1000 --json");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("\"target\": \"overlay\""));
  EXPECT_THAT(outcome.output, HasSubstr("\"equal\": true"));
  EXPECT_THAT(outcome.output, HasSubstr("\"left_out\": [\n"));
}

TEST_F(VerifyOverlay, AWordThatIsOffByOneEntryMakesItsBankDiffer) {
  const kan::Bundle bundle = compiled_bundle(std::string("--device generic ") + kRoom);
  const HardwareDesign design = read_design(bundle).value();
  kan::Bundle wrong = bundle;
  ++entry(wrong.model, 1, 0, 0, 20);
  // The library comes with the words of another model than it says.
  const auto file =
      build_rtl_library(wrong, design, {.cache = test::rtl_cache(), .keep = {}, .progress = {}});
  ASSERT_TRUE(file) << file.error().message;
  const auto library = kan::RtlLibrary::open(*file);
  ASSERT_TRUE(library) << library.error().message;
  const auto report = verify_design(bundle, design, **library, {.random = 500, .seed = 3, .progress = {}});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->equal());
  std::uint64_t differing = 0;
  for (const StageResult& stage : report->stages) {
    if (stage.unit == "kan_datapath bank 0") differing += stage.differing;
    if (stage.unit == "kan_datapath bank 0" && stage.stage == "every input") {
      EXPECT_GT(stage.differing, 0U);
      EXPECT_EQ(stage.example_name, "quark");
      EXPECT_EQ(stage.example.got, stage.example.expected + 1);
    }
    if (stage.unit == "kan_datapath bank 1") {
      EXPECT_EQ(stage.differing, 0U) << stage.stage;
    }
  }
  EXPECT_GT(differing, 0U);
}

TEST_F(VerifyOverlay, AnOverlayThatWritesOneBankOnlyDiffers) {
  kan::Bundle bundle = compiled_bundle(std::string("--device generic ") + kRoom);
  std::string& text = bundle.rtl_files.at("rtl/kan_overlay_select.sv");
  const std::string right = "assign bank_o  = bank_q;";
  ASSERT_NE(text.find(right), std::string::npos);
  text.replace(text.find(right), right.size(), "assign bank_o  = bank_q & 1'b0;");
  const auto outcome = kanc("verify", write(bundle), "--random 100");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
  EXPECT_THAT(outcome.output, ContainsRegex("kan_datapath bank 0 every input .* equal"));
  EXPECT_THAT(outcome.output, ContainsRegex("kan_datapath bank 1 every input .*DIFFER"));
  EXPECT_THAT(outcome.output, HasSubstr("NOT EQUAL"));
}

TEST_F(VerifyOverlay, EachWordThatIsWrittenIsSeenByTheNextEventsOfItsBankOnly) {
  const kan::Bundle bundle = compiled_bundle(std::string("--device generic ") + kRoom);
  const HardwareDesign design = read_design(bundle).value();
  const auto library = kan::RtlLibrary::open(test::build_library(bundle).value()).value();
  ASSERT_EQ(library->bank_count(), 2U);
  auto instance = library->create(0).value();
  const auto rows = every_row(bundle.model);
  const auto right = expected_scores(bundle.model, rows);
  const auto load = overlay_table_words(bundle.model, *design.overlay, TableBank::kOne).value();
  for (const TableWord& word : load) ASSERT_TRUE(instance.write_table(word.address, word.data));
  kan::Model model = bundle.model;
  for (std::uint32_t step = 0; step < 24; ++step) {
    const std::size_t layer = step % 2;
    entry(model, layer, step % 2, step % 2, step % 8) =
        static_cast<std::int16_t>(entry(model, layer, step % 2, step % 2, step % 8) + 9);
    const auto words = overlay_table_words(model, *design.overlay, TableBank::kOne);
    ASSERT_TRUE(words) << words.error().message;
    for (std::size_t i = 0; i < words->size(); ++i) {
      if ((*words)[i] == load[i]) continue;
      ASSERT_TRUE(instance.write_table((*words)[i].address, (*words)[i].data));
    }
    instance.use_bank(1);
    ASSERT_EQ(scores(instance, rows), expected_scores(model, rows)) << "step " << step;
    instance.use_bank(0);
    ASSERT_EQ(scores(instance, rows), right) << "step " << step;
  }
  EXPECT_NE(expected_scores(model, rows), right);
}

TEST_F(VerifyOverlay, TheDaemonsBackendRunsWhatSimulateWrites) {
  const fs::path folder = compiled(std::string("--device generic ") + kRoom);
  const kan::Bundle bundle = kan::load_bundle(folder).value();
  const auto outcome = kanc("simulate", folder, "--out " + folder_.path().string());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("in bank 0 of an overlay"));
  const auto model = backend::prepare(
      bundle, {.kind = backend::Kind::kRtlSim, .kernel_set = "auto", .rtl_sim_library = folder_.path()});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->path(), wire::Path::kFpga);
  const auto replayed = backend::replay_golden(bundle, **model);
  EXPECT_TRUE(replayed) << replayed.error().message;
}

TEST_F(VerifyOverlay, OfOneLayerEveryEntryIsSweptSuchThatAnErrorOfOneShows) {
  kan::Bundle bundle = test::two_layer_bundle();
  bundle.model.layers.pop_back();
  bundle.classes = {"up", "down", "charm", "strange"};
  bundle.model.output_scales.assign(4, 1.0);
  const std::size_t inputs = bundle.model.inputs.size();
  bundle.golden.outputs.clear();
  for (std::size_t i = 0; i < bundle.golden.count; ++i) {
    const auto outputs =
        kan::reference_outputs(bundle.model, std::span(bundle.golden.inputs).subspan(i * inputs, inputs));
    bundle.golden.outputs.insert(bundle.golden.outputs.end(), outputs.begin(), outputs.end());
  }
  const fs::path design = new_folder();
  const auto compiled = kanc("compile " + write(bundle).string() +
                             " --target overlay --device generic --out " + design.string());
  ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
  const auto outcome = kanc("verify", design, "--random 100");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, ContainsRegex("kan_datapath bank 1 every code of every edge .* equal"));
  EXPECT_THAT(outcome.output, ContainsRegex("[1-9][0-9]* of [1-9][0-9]* table entries were seen"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("layer by layer")));
}

TEST_F(VerifyOverlay, ALibraryOfTheFirstInterfaceIsToBeMadeAgain) {
  const fs::path source = folder_.path() / "old.c";
  std::ofstream(source) << "static const unsigned description[16] = {1};\n"
                           "const void* kantrig_rtl_describe(void) { return description; }\n"
                           "void* kantrig_rtl_create(unsigned unit) { (void)unit; return 0; }\n"
                           "void kantrig_rtl_destroy(void* instance) { (void)instance; }\n"
                           "int kantrig_rtl_run(void) { return -1; }\n";
  const fs::path file = folder_.path() / "old.so";
  const auto built =
      test::run_command("g++ -x c -shared -fPIC " + source.string() + " -o " + file.string() + " 2>&1");
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const auto library = kan::RtlLibrary::open(file);
  ASSERT_FALSE(library);
  EXPECT_THAT(library.error().message,
              HasSubstr("has interface version 1, expected 2; make it again with kanc simulate"));
}

TEST_F(VerifyOverlay, AShapeThatIsNotTheDesignsIsRefused) {
  const kan::Bundle bundle = compiled_bundle("--device generic");
  const HardwareDesign design = read_design(bundle).value();
  const auto refusal = [&](const auto& change) {
    kan::Bundle changed = bundle;
    HardwareDesign other = design;
    change(other);
    changed.rtl_files["rtl/design.json"] = design_to_json(other);
    const auto read = read_design(changed);
    return read ? "no refusal" : read.error().message;
  };
  EXPECT_THAT(refusal([](HardwareDesign& other) { ++other.cycles; }), HasSubstr("expected its shape's"));
  EXPECT_THAT(refusal([](HardwareDesign& other) { other.overlay->entry_bits[0] = 2; }),
              HasSubstr("--entry-bits"));
  EXPECT_THAT(refusal([](HardwareDesign& other) { other.overlay.reset(); }),
              HasSubstr("is of target overlay, expected a shape and no layers"));
}

TEST_F(VerifyOverlay, ThereIsNoLogicToProve) {
  const auto outcome = kanc("verify", compiled("--device generic"), "--prove");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("--prove: the design is an overlay, whose tables are memory"));
}

}  // namespace
}  // namespace kantrig::compiler
