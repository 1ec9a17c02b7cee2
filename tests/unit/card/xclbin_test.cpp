#include "card/xclbin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "card/xclbin_view.hpp"

namespace kantrig::card {
namespace {

using testing::HasSubstr;

XclbinContent content() {
  return {.platform = "kantrig_emulated",
          .protocol = Protocol::kHandshake,
          .clock_mhz = 250,
          .banks = {{"DDR[0]", 0x4000'0000, 1U << 20U, false}, {"DDR[1]", 0x8000'0000, 2U << 20U, true}},
          .units = {{"kan_kernel_1", 0x180'0000, 1}, {"kan_kernel_2", 0x181'0000, 1}},
          .bitstream = "not really bits"};
}

std::uint64_t number_at(const std::string& file, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, file.data() + at, bytes);
  return value;
}

/// Offset of the payload of a section, by hand.
std::size_t payload_of(const std::string& file, std::uint32_t kind) {
  for (std::size_t i = 0; i < number_at(file, 448, 4); ++i) {
    if (number_at(file, 456 + 40 * i, 4) == kind) return number_at(file, 456 + 40 * i + 24, 8);
  }
  ADD_FAILURE() << "no section of kind " << kind;
  return 0;
}

TEST(Xclbin, LaysTheHeaderOutAsXrtReadsIt) {
  const std::string file = write_xclbin(content());
  EXPECT_EQ(file.substr(0, 8), std::string("xclbin2\0", 8));
  EXPECT_EQ(number_at(file, 8, 4), 0xFFFF'FFFFU);
  EXPECT_EQ(number_at(file, 304, 8), file.size());
  EXPECT_EQ(number_at(file, 330, 1), 2U) << "major version";
  EXPECT_EQ(number_at(file, 331, 1), 1U) << "minor version";
  EXPECT_STREQ(file.c_str() + 352, "kantrig_emulated");
  EXPECT_EQ(number_at(file, 448, 4), 7U) << "sections";
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(number_at(file, 456 + 40 * i + 24, 8) % 8, 0U);
}

TEST(Xclbin, LaysMemoryKernelsAndConnectionsOutAsXrtReadsThem) {
  const std::string file = write_xclbin(content());
  const std::size_t memory = payload_of(file, 6);
  EXPECT_EQ(number_at(file, memory, 4), 2U);
  EXPECT_EQ(number_at(file, memory + 8 + 40 + 1, 1), 1U) << "used";
  EXPECT_EQ(number_at(file, memory + 8 + 40 + 8, 8), 2048U) << "KiB";
  EXPECT_EQ(number_at(file, memory + 8 + 40 + 16, 8), 0x8000'0000U);
  EXPECT_STREQ(file.c_str() + memory + 8 + 40 + 24, "DDR[1]");
  const std::size_t kernels = payload_of(file, 8);
  EXPECT_EQ(number_at(file, kernels, 4), 2U);
  EXPECT_EQ(number_at(file, kernels + 8 + 80, 4), 1U) << "a kernel";
  EXPECT_EQ(number_at(file, kernels + 8 + 80 + 4, 4), 1U | 1U << 1U) << "interrupt 1, ap_ctrl_hs";
  EXPECT_EQ(number_at(file, kernels + 8 + 80 + 8, 8), 0x181'0000U);
  EXPECT_STREQ(file.c_str() + kernels + 8 + 80 + 16, "kan_kernel:kan_kernel_2");
  const std::size_t connections = payload_of(file, 7);
  EXPECT_EQ(number_at(file, connections, 4), 4U) << "two arguments of two units";
  EXPECT_EQ(number_at(file, connections + 4 + 12 * 3, 4), 1U) << "argument";
  EXPECT_EQ(number_at(file, connections + 4 + 12 * 3 + 4, 4), 1U) << "unit";
  EXPECT_EQ(number_at(file, connections + 4 + 12 * 3 + 8, 4), 1U) << "bank";
  EXPECT_EQ(file.substr(payload_of(file, 0), 15), "not really bits");
}

TEST(Xclbin, TheSameContentGivesTheSameBytesAndAnotherOneAnotherUuid) {
  const std::string file = write_xclbin(content());
  EXPECT_EQ(write_xclbin(content()), file);
  XclbinContent other = content();
  other.bitstream.back() = 'z';
  const std::string changed = write_xclbin(other);
  EXPECT_NE(changed.substr(416, 16), file.substr(416, 16));
  EXPECT_NE(file.substr(416, 16), std::string(16, '\0'));
}

TEST(Xclbin, IsReadBack) {
  const std::string file = write_xclbin(content());
  const auto view = XclbinView::of(file);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->platform(), "kantrig_emulated");
  ASSERT_TRUE(view->memory());
  EXPECT_EQ(view->memory()->at(1).bytes, 2U << 20U);
  EXPECT_TRUE(view->memory()->at(1).used);
  EXPECT_FALSE(view->memory()->at(0).used);
  ASSERT_TRUE(view->kernels());
  EXPECT_EQ(view->kernels()->at(1).name, "kan_kernel:kan_kernel_2");
  EXPECT_EQ(view->section(Section::kBitstream), "not really bits");
  const auto summary = summarise_xclbin(file);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->units, (std::vector<std::string>{"kan_kernel:kan_kernel_1", "kan_kernel:kan_kernel_2"}));
  EXPECT_EQ(summary->uuid.size(), 32U);
}

TEST(Xclbin, KernelsAreOrderedByInterruptOrWithoutInterruptsByAddress) {
  XclbinContent turned = content();
  std::swap(turned.units[0], turned.units[1]);
  std::string file = write_xclbin(turned);
  EXPECT_EQ(XclbinView::of(file)->kernels()->at(0).name, "kan_kernel:kan_kernel_2") << "interrupt 0";
  const std::size_t kernels = payload_of(file, 8);
  file[kernels + 8 + 80 + 4] = 1;  // interrupt id 0 for both
  EXPECT_EQ(XclbinView::of(file)->kernels()->at(0).name, "kan_kernel:kan_kernel_1");
}

TEST(Xclbin, EveryShorterFileIsRefused) {
  const std::string file = write_xclbin(content());
  for (std::size_t bytes = 0; bytes < file.size(); ++bytes) {
    ASSERT_FALSE(XclbinView::of(std::string_view(file).substr(0, bytes))) << bytes << " bytes";
  }
  EXPECT_THAT(summarise_xclbin("nothing").error().message, HasSubstr("expected 'xclbin2'"));
}

TEST(Xclbin, SectionsThatReachPastTheEndAreRefused) {
  const std::string file = write_xclbin(content());
  for (const std::size_t at : {std::size_t{448}, std::size_t{456 + 24 + 7}, std::size_t{456 + 32 + 7}}) {
    std::string wrong = file;
    wrong[at] = '\x7F';
    EXPECT_FALSE(XclbinView::of(wrong)) << "byte " << at;
  }
  std::string counts = file;
  counts[payload_of(file, 6)] = '\x7F';
  ASSERT_TRUE(XclbinView::of(counts));
  EXPECT_FALSE(XclbinView::of(counts)->memory());
}

}  // namespace
}  // namespace kantrig::card
