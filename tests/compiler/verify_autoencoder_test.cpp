// kanc compile, verify, simulate and tables on a model with an output stage: hardware ends at the nodes of
// its last layer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "compiler/verify/read_design.hpp"
#include "kan/bundle.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class VerifyAutoencoder : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::can_simulate()) GTEST_SKIP() << test::kCannotSimulate;
  }
  static test::CommandOutcome kanc(const std::string& arguments) {
    return test::run_command(std::string(KANTRIG_BINARY_DIR) + "/bin/kanc " + arguments + " 2>&1");
  }
  static test::CommandOutcome verify(const fs::path& design, const std::string& more = {}) {
    return kanc("verify " + design.string() + " --random 2000 --build-folder " + test::rtl_cache().string() +
                " " + more);
  }
  fs::path new_folder() { return folder_.path() / std::to_string(count_++); }
  fs::path write(const kan::Bundle& bundle) {
    fs::path folder = new_folder();
    const auto written = kan::write_bundle(bundle, folder, kan::Overwrite::kRefuse);
    EXPECT_TRUE(written) << written.error().message;
    return folder;
  }
  fs::path compiled(const kan::Bundle& bundle, const std::string& target) {
    fs::path folder = new_folder();
    const auto outcome =
        kanc("compile " + write(bundle).string() + " --target " + target + " --out " + folder.string());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return folder;
  }

  test::TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(VerifyAutoencoder, ACompiledDesignGivesTheNodesAndTheScoreOfThem) {
  const fs::path design = compiled(test::two_layer_autoencoder(), "fixed");
  const auto outcome = verify(design);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("equal: the design gives the model's bits"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("DIFFER")));
  const auto hardware = read_design(kan::load_bundle(design).value());
  ASSERT_TRUE(hardware) << hardware.error().message;
  ASSERT_EQ(hardware->outputs.size(), 2U);
  const auto features = test::two_layer_autoencoder().features;
  EXPECT_EQ(hardware->outputs[0].name, "y0_" + features[2].name);
  EXPECT_EQ(hardware->outputs[1].name, "y1_" + features[0].name);
}

TEST_F(VerifyAutoencoder, AWrongEntryIsFoundAtItsNode) {
  kan::Bundle bundle = test::two_layer_autoencoder();
  test::add_plain_design(bundle);
  EXPECT_EQ(verify(write(bundle)).exit_code, 0);
  const kan::Layer& last = bundle.model.layers[1];
  const kan::Edge& edge = last.edges[last.nodes[0].edge_begin];
  const int entry = last.tables[edge.table_offset + 20];
  const std::string place = fmt::format("'d20: t_{}_0 = 32'(", edge.input);
  std::string& text = bundle.rtl_files.at("rtl/kan_layer1.sv");
  const std::size_t at = text.find(place + std::to_string(entry) + ")");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, place.size() + std::to_string(entry).size(), place + std::to_string(entry + 1));
  const auto outcome = verify(write(bundle));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("DIFFER"));
}

TEST_F(VerifyAutoencoder, AnOverlayIsItInBothBanks) {
  const fs::path design = compiled(test::two_layer_autoencoder(), "overlay");
  const auto outcome = verify(design);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("bank 1"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("DIFFER")));
}

TEST_F(VerifyAutoencoder, TheTablesOfAnAutoencoderAreThoseOfItsLayers) {
  const fs::path overlay = compiled(test::two_layer_bundle(), "overlay");
  const auto plain = kanc("tables " + write(test::two_layer_bundle()).string() + " " + overlay.string());
  const auto distance =
      kanc("tables " + write(test::two_layer_autoencoder()).string() + " " + overlay.string());
  EXPECT_EQ(plain.exit_code, 0) << plain.output;
  EXPECT_EQ(distance.exit_code, 0) << distance.output;
  EXPECT_EQ(plain.output, distance.output);
}

}  // namespace
}  // namespace kantrig::compiler
