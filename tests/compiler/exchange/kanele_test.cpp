#include "compiler/exchange/kanele.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.hpp"
#include "kan/evaluator.hpp"
#include "kan/verify_vectors.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::exchange {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

/// A folder as KANELE publishes it: 2 inputs of 1 bit, 2 nodes of 2 bits (one edge pruned), 1 output of 3
/// bits.
class SmallKanele : public testing::Test {
 protected:
  SmallKanele() {
    write("config.json",
          R"({"layers": [2, 2, 1], "layers_bitwidth": [1, 2, 3], "seed": 4, "grid_range": [-8, 8]})");
    write("truth_tables.json", R"({
      "0_0_0": {"acive": 1, "values_int": [-2, 1]}, "0_0_1": {"acive": 0, "values_int": [0, 0]},
      "0_1_0": {"acive": 1, "values_int": [1, -1]}, "0_1_1": {"acive": 1, "values_int": [0, 5]},
      "1_0_0": {"acive": 1, "values_int": [-4, -3, 2, 9]}, "1_1_0": {"acive": 1, "values_int": [0, 1, -1, -7]}})");
    // By hand: 0 0 -> nodes -1 and 0 -> -3 + -1 = -4; 1 1 -> nodes 0 and 5, clamped to 1 -> 2 + -7 = -5,
    // clamped to -4; 1 0 -> nodes 2, clamped to 1, and 0 -> 9 + -1 = 8, clamped to 3.
    write("vectors_in.txt", "0 0\n1 1\n1 0\n");
    write("vectors_out.txt", "-4\n-4\n3\n");
  }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::write_file_atomic(folder_.path() / name, text));
  }
  [[nodiscard]] Result<KaneleImport> import() const {
    return import_kanele(folder_.path(),
                         {.name = "small", .version = "1.0.0", .license = "", .random_vectors = 20});
  }
  [[nodiscard]] std::string error() const {
    const auto imported = import();
    return imported ? "no error" : imported.error().message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(SmallKanele, TakesEntriesAsStoredAndCountsThoseOutOfRange) {
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->entries_out_of_range, 3U);  // 5 past 2 bits, 9 and -7 past 3 bits
  EXPECT_EQ(imported->published_vectors, 3U);
  const kan::Model& model = imported->bundle.model;
  EXPECT_THAT(model.layers[0].tables, ElementsAre(-2, 1, 1, -1, 0, 5));
  EXPECT_THAT(model.layers[1].tables, ElementsAre(-4, -3, 2, 9, 0, 1, -1, -7));
  EXPECT_EQ(model.layers[0].edges.size(), 3U);
  EXPECT_EQ(model.layers[0].nodes[1].low, -2);
  EXPECT_EQ(model.layers[0].nodes[1].high, 1);
}

TEST_F(SmallKanele, NamesWhatThePublishedFilesDoNotNameAndTakesCodesOnly) {
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().message;
  const kan::Bundle& bundle = imported->bundle;
  EXPECT_TRUE(bundle.model.codes_only);
  EXPECT_EQ(bundle.features[1].name, "in1");
  EXPECT_THAT(bundle.classes, ElementsAre("c0", "c1"));
  EXPECT_THAT(bundle.model.output_scales, ElementsAre(1.0));
  EXPECT_EQ(bundle.provenance.command, "import kanele");
  EXPECT_EQ(bundle.golden.count, 3U + 2U + 20U);
}

TEST_F(SmallKanele, IsWrittenAsABundleThatLoads) {
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().message;
  const fs::path out = folder_.path() / "out";
  ASSERT_TRUE(kan::write_bundle(imported->bundle, out, kan::Overwrite::kRefuse));
  const auto bundle = kan::load_bundle(out);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_TRUE(bundle->model.codes_only);
  EXPECT_EQ(bundle->golden.outputs, imported->bundle.golden.outputs);
}

TEST_F(SmallKanele, IsRefusedWhenThePublishedVectorsDoNotComeOut) {
  write("vectors_out.txt", "-4\n-4\n2\n");
  EXPECT_THAT(error(), HasSubstr("vectors_out.txt: vector 2 output 0: the tables give 3, expected 2"));
}

TEST_F(SmallKanele, NeedsNoPublishedVectors) {
  fs::remove(folder_.path() / "vectors_in.txt");
  const auto imported = import();
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->published_vectors, 0U);
}

TEST_F(SmallKanele, WrongFilesAreRefusedByName) {
  const std::string tables = base::read_file(folder_.path() / "truth_tables.json", 10'000).value();
  const auto error_with = [&](const std::string& from, const std::string& to) {
    std::string changed = tables;
    changed.replace(changed.find(from), from.size(), to);
    write("truth_tables.json", changed);
    return error();
  };
  EXPECT_THAT(error_with("0_1_1", "0_1_2"), HasSubstr("truth_tables.json: '0_1_1': expected an object"));
  EXPECT_THAT(error_with("[0, 5]", "[0, 5, 6]"),
              HasSubstr("'0_1_1': expected 'values_int' to be an array of 2"));
  EXPECT_THAT(error_with("[0, 5]", "[0, 5.5]"), HasSubstr("16-bit integers, found 5.5"));
  EXPECT_THAT(error_with("[0, 5]", "[0, 32768]"), HasSubstr("16-bit integers, found 32768"));
  EXPECT_THAT(error_with("\"acive\": 0", "\"acive\": 2"),
              HasSubstr("'0_0_1': expected 'acive' to be 0 or 1"));
  EXPECT_THAT(error_with("\"0_0_0\"", "\"9_9_9\": {}, \"0_0_0\""), HasSubstr("has 7 entries, expected 6"));
  EXPECT_THAT(error_with("{", "["), HasSubstr("truth_tables.json: expected a JSON object"));
  write("config.json", R"({"layers": [2, 2, 1], "layers_bitwidth": [1, 2]})");
  EXPECT_THAT(error(), HasSubstr("config.json: has 3 layers and 2 bit widths"));
  write("config.json", R"({"layers": [2, 2, 1], "layers_bitwidth": [1, 13, 3]})");
  EXPECT_THAT(error(), HasSubstr("'layers_bitwidth' entry 1 is 13, expected at most 12"));
  write("config.json", R"({"layers": "many"})");
  EXPECT_THAT(error(), HasSubstr("config.json: expected an array 'layers'"));
  fs::remove(folder_.path() / "config.json");
  EXPECT_THAT(error(), HasSubstr("config.json: cannot open"));
}

/// The published folders, where they are at hand.
struct Published {
  const char* name;
  std::uint64_t entries_out_of_range;
};
class PublishedKanele : public testing::TestWithParam<Published> {};

TEST_P(PublishedKanele, GivesThePublishedVectorsOnEveryKernelSet) {
  const char* const shared = std::getenv("KANTRIG_SHARED_DATA");
  if (shared == nullptr) GTEST_SKIP() << "KANTRIG_SHARED_DATA is not set";
  const fs::path folder = fs::path(shared) / "kanele" / GetParam().name;
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto imported = import_kanele(folder, {.name = GetParam().name, .version = "1.0.0"});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->entries_out_of_range, GetParam().entries_out_of_range);

  const auto inputs = kan::read_text_vectors(folder / "vectors_in.txt");
  const auto expected = kan::read_text_vectors(folder / "vectors_out.txt");
  ASSERT_TRUE(inputs && expected);
  for (const char* const set : {"scalar", "avx2", "avx512"}) {
    const auto evaluator = kan::Evaluator::create(imported->bundle.model, set);
    if (!evaluator) {
      ASSERT_EQ(evaluator.error().code, ErrorCode::kUnsupported) << evaluator.error().message;
      continue;
    }
    const auto result = kan::verify_vectors(*evaluator, *inputs, *expected);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->agreeing, inputs->count) << set;
    const auto replayed = kan::replay_golden(imported->bundle, *evaluator);
    EXPECT_TRUE(replayed) << replayed.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, PublishedKanele,
                         testing::Values(Published{"jsc_openml", 0}, Published{"jsc_openml_outofrange", 283},
                                         Published{"mnist", 36}, Published{"moons", 0}, Published{"wine", 0}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace kantrig::exchange
