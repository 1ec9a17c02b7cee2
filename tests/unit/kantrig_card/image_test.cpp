#include "apps/kantrig-card/xrt/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/kantrig-card/xrt/fabric.hpp"
#include "apps/kantrig-card/xrt/platform.hpp"
#include "card/registers.hpp"

namespace kantrig::card_host {
namespace {

using testing::HasSubstr;

kan::CardImage expected() {
  kan::CardImage image;
  image.platform = "xilinx_u50_gen3x16_xdma_201920_3";
  image.kernel = "kan_kernel";
  image.compute_units = 2;
  image.interface_version = card::kInterfaceVersion;
  image.overlay = true;
  image.hardware_digest = "abcd";
  image.input = {128, {{0, 6}, {6, 6}}};
  image.output = {64, {{0, 7}}};
  return image;
}

ImageFacts right_image() {
  ImageFacts::Kernel kernel{"kan_kernel", true, {}, {"kan_kernel:kan_kernel_1", "kan_kernel:kan_kernel_2"}};
  kernel.arguments = {{"input", 0, 0x10}, {"output", 1, 0x18}, {"events", 2, 0x20},
                      {"bank", 3, 0x24},  {"mode", 4, 0x28},   {"table_first", 5, 0x2C}};
  return {"uuid", "xilinx_u50_gen3x16_xdma_201920_3", {kernel}};
}

FabricFacts right_facts() {
  return {card::kInterfaceVersion, true, 128, 64, 2, 1, 256, "abcd"};
}

std::string said(const Result<void>& result) {
  return result ? "" : result.error().message;
}

TEST(Image, IsTakenWhenItIsWhatTheBundleSays) {
  EXPECT_EQ(said(check_image(right_image(), expected())), "");
}

TEST(Image, IsRefusedWithoutTheKernel) {
  ImageFacts facts = right_image();
  facts.kernels[0].name = "vadd";
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("no kernel 'kan_kernel'"));
}

TEST(Image, IsRefusedWithAnotherNumberOfComputeUnits) {
  ImageFacts facts = right_image();
  facts.kernels[0].compute_units.pop_back();
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("1 compute units of kan_kernel, expected 2"));
}

TEST(Image, IsRefusedWithAnArgumentOfAnotherNameOrPlaceOrTooFew) {
  ImageFacts facts = right_image();
  facts.kernels[0].arguments[3].name = "table";
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("expected 'bank' at 0x24"));
  facts = right_image();
  facts.kernels[0].arguments[4].offset = 0x40;
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("'mode' at 0x40, expected 'mode' at 0x28"));
  facts = right_image();
  facts.kernels[0].arguments.pop_back();
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("5 arguments, expected 6"));
}

TEST(Image, IsRefusedForAnotherPlatform) {
  ImageFacts facts = right_image();
  facts.platform = "xilinx_u250_gen3x16_xdma_shell_4_1";
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("built for platform xilinx_u250"));
}

TEST(Image, IsRefusedWithAnOlderInterface) {
  kan::CardImage image = expected();
  image.interface_version = card::kInterfaceVersion + 1;
  EXPECT_THAT(said(check_image(right_image(), image)), HasSubstr("pack the bundle with this version's kanc"));
}

TEST(Image, IsRefusedWhenTheKernelHasNoHandshake) {
  ImageFacts facts = right_image();
  facts.kernels[0].handshake = false;
  EXPECT_THAT(said(check_image(facts, expected())), HasSubstr("neither ap_ctrl_hs nor ap_ctrl_chain"));
}

TEST(Image, IsRefusedWhenItsBytesAreNoXclbin) {
  for (const std::string& bytes : {std::string(), std::string("xclbin"), std::string(4'096, 'x')}) {
    const auto image = Image::parse(bytes);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind, FaultKind::kRefused);
  }
}

TEST(FabricFacts, AreTakenWhenTheyAreWhatTheBundleSays) {
  EXPECT_EQ(said(check_facts(right_facts(), expected())), "");
}

TEST(FabricFacts, NameTheRegisterThatDiffers) {
  const auto with = [](auto&& change) {
    FabricFacts facts = right_facts();
    change(facts);
    return said(check_facts(facts, expected()));
  };
  EXPECT_THAT(with([](FabricFacts& f) { f.interface_version = 9; }), HasSubstr("interface_version reads 9"));
  EXPECT_THAT(with([](FabricFacts& f) { f.hardware_digest = "ef"; }),
              HasSubstr("model_digest reads ef, expected abcd"));
  EXPECT_THAT(with([](FabricFacts& f) { f.overlay = false; }),
              HasSubstr("target reads fixed, expected overlay"));
  EXPECT_THAT(with([](FabricFacts& f) { f.input_record_bits = 8; }), HasSubstr("input_record_bits reads 8"));
  EXPECT_THAT(with([](FabricFacts& f) { f.output_record_bits = 8; }),
              HasSubstr("output_record_bits reads 8"));
  EXPECT_THAT(with([](FabricFacts& f) { f.features = 3; }), HasSubstr("features reads 3, expected 2"));
  EXPECT_THAT(with([](FabricFacts& f) { f.outputs = 3; }), HasSubstr("outputs reads 3, expected 1"));
}

TEST(Platform, IsSpelledAsBundlesNameTheirFiles) {
  EXPECT_EQ(platform_named("xilinx_u250_gen3x16_xdma_shell_4_1"), "xilinx_u250_gen3x16_xdma_4_1");
  EXPECT_EQ(platform_named("xilinx:u50:gen3x16-xdma:1.0"), "xilinx_u50_gen3x16_xdma_1_0");
  EXPECT_EQ(platform_named("kantrig_emulated"), "emulated");
  EXPECT_EQ(platform_named("../../etc/passwd"), "______etc_passwd");
  EXPECT_TRUE(same_platform("xilinx_u250_gen3x16_xdma_shell_4_1", "xilinx_u250_gen3x16_xdma_4_1"));
  EXPECT_FALSE(same_platform("xilinx_u250_gen3x16_xdma_4_1", "xilinx_u50_gen3x16_xdma_4_1"));
}

}  // namespace
}  // namespace kantrig::card_host
