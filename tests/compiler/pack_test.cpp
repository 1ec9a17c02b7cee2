#include "compiler/pack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/digest.hpp"
#include "base/file.hpp"
#include "card/xclbin.hpp"
#include "compiler/hardware/fixed.hpp"
#include "support/emulated_card.hpp"
#include "support/plain_design.hpp"
#include "support/rtl_build.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::compiler {
namespace {

using testing::HasSubstr;

kan::Bundle compiled_bundle() {
  kan::Bundle bundle = test::two_layer_bundle();
  FixedOptions options;
  options.device = "generic";
  const auto compiled = compile_fixed(bundle, options);
  EXPECT_TRUE(compiled) << compiled.error().message;
  put_design(bundle, *compiled);
  return bundle;
}

std::string error_of(kan::Bundle bundle, const PackOptions& options) {
  const auto ok = pack(bundle, options);
  return ok ? "no error" : ok.error().message;
}

class Pack : public testing::Test {
 protected:
  /// A file such as v++ would have linked.
  [[nodiscard]] std::filesystem::path linked(std::vector<card::ComputeUnit> units) const {
    card::XclbinContent content{.platform = "xilinx_u250",
                                .banks = {{"DDR[0]", 0, 1U << 30U, true}},
                                .units = std::move(units),
                                .bitstream = "bits"};
    const auto path = temporary_.path() / "kan_kernel.xclbin";
    std::ofstream(path, std::ios::binary) << card::write_xclbin(content);
    return path;
  }
  test::TemporaryFolder temporary_;
};

TEST_F(Pack, AFileOfTheVendorsLinkerIsTakenAsItIs) {
  kan::Bundle bundle = compiled_bundle();
  PackOptions options;
  options.platform = "xilinx_u250_gen3x16_xdma_4_1";
  options.xclbin = linked({{"kan_kernel_1", 0x1800000, 0}, {"kan_kernel_2", 0x1810000, 0}});
  const auto ok = pack(bundle, options);
  ASSERT_TRUE(ok) << ok.error().message;
  const std::string path = "fpga/xilinx_u250_gen3x16_xdma_4_1";
  const auto bytes = base::read_file(options.xclbin, 1U << 20U);
  EXPECT_EQ(bundle.fpga_files.at(path + ".xclbin"), bytes.value());
  EXPECT_FALSE(bundle.fpga_files.contains(path + ".tables")) << "a fixed design has none";
  const auto image = kan::card_image_from_json(bundle.fpga_files.at(path + ".json"));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->compute_units, 2U);
  EXPECT_EQ(image->xclbin_sha256, base::sha256(*bytes).hex());
  EXPECT_FALSE(image->overlay);

  options.compute_units = 3;
  EXPECT_THAT(error_of(bundle, options), HasSubstr("holds 2 compute units, --compute-units says 3"));
}

TEST_F(Pack, WhatCannotBePackedIsNamedWithWhatToDo) {
  const kan::Bundle bundle = compiled_bundle();
  PackOptions options;
  options.platform = "xilinx_u250";
  EXPECT_THAT(error_of(bundle, options), HasSubstr("needs --xclbin FILE"));
  options.xclbin = temporary_.path() / "text.xclbin";
  std::ofstream(options.xclbin) << "not one";
  EXPECT_THAT(error_of(bundle, options), HasSubstr("text.xclbin: is no whole xclbin"));
  options.platform = "emulated";
  EXPECT_THAT(error_of(bundle, options), HasSubstr("--xclbin"));
  options.xclbin.clear();
  options.lanes_max = 3;
  EXPECT_THAT(error_of(bundle, options), HasSubstr("--lanes: is 3, expected a power of two"));
  options.platform = "../up";
  EXPECT_THAT(error_of(bundle, options), HasSubstr("--platform"));
  EXPECT_THAT(error_of(test::two_layer_bundle(), {}), HasSubstr("kanc compile"));
}

TEST_F(Pack, TheEmulatedCardsFilesAreTheSameEveryTimeAndTheirBundleIsWhole) {
  if (!test::can_simulate()) GTEST_SKIP() << test::kCannotSimulate;
  const auto first = test::packed(test::two_layer_bundle(), test::Tables::kOverlay, 2);
  ASSERT_TRUE(first) << first.error().message;
  kan::Bundle second = *first;
  PackOptions options;
  options.compute_units = 2;
  options.build.cache = temporary_.path() / "fresh";
  const auto ok = pack(second, options);
  ASSERT_TRUE(ok) << ok.error().message;
  EXPECT_EQ(second.fpga_files, first->fpga_files) << "built in another folder, without a cache";
  const auto folder = temporary_.path() / first->full_name();
  const auto digest = kan::write_bundle(*first, folder, kan::Overwrite::kRefuse);
  ASSERT_TRUE(digest) << digest.error().message;
  const auto read = kan::load_bundle(folder, {}, kan::Images::kKeep);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->fpga_files, first->fpga_files);
  const kan::CardImage image = test::image_of(*read);
  EXPECT_EQ(image.xclbin_sha256, base::sha256(read->fpga_files.at("fpga/emulated.xclbin")).hex());
  EXPECT_EQ(image.compute_units, 2U);
  EXPECT_TRUE(image.overlay);
  EXPECT_LT(image.bank_begin[0], image.bank_begin[1]);
  EXPECT_EQ(read->fpga_files.at("fpga/emulated.tables").size(), 4 * image.table_words);
}

TEST_F(Pack, AnotherDesignTakesTheFilesOfTheOlderOneAway) {
  kan::Bundle bundle = compiled_bundle();
  PackOptions options;
  options.platform = "xilinx_u250";
  options.xclbin = linked({{"kan_kernel_1", 0x1800000, 0}});
  ASSERT_TRUE(pack(bundle, options));
  const auto compiled = compile_fixed(bundle, FixedOptions{});
  ASSERT_TRUE(compiled);
  put_design(bundle, *compiled);
  EXPECT_TRUE(bundle.fpga_files.empty());
}

}  // namespace
}  // namespace kantrig::compiler
