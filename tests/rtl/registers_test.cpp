// The register map: what is committed is what it prints, and what it prints is right.
#include "card/registers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>

#include "base/file.hpp"
#include "card/register_files.hpp"

namespace kantrig::card {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string committed(const std::string& path) {
  const auto text = base::read_file(std::filesystem::path(KANTRIG_SOURCE_DIR) / path, 1U << 20);
  EXPECT_TRUE(text) << path;
  return text ? *text : "";
}

TEST(Registers, TheCommittedTableIsWhatThePrinterPrints) {
  EXPECT_EQ(committed("firmware/card/registers.md"), registers_markdown())
      << "run: kanc registers --format markdown > firmware/card/registers.md";
}
TEST(Registers, TheCommittedPackageIsWhatThePrinterPrints) {
  EXPECT_EQ(committed("firmware/rtl/kan_register_pkg.sv"), registers_systemverilog())
      << "run: kanc registers --format sv > firmware/rtl/kan_register_pkg.sv";
}
TEST(Registers, TheCommittedKernelXmlIsWhatThePrinterPrints) {
  EXPECT_EQ(committed("firmware/card/kernel.xml"), kernel_xml(Protocol::kHandshake))
      << "run: kanc registers --format xml > firmware/card/kernel.xml";
}

TEST(Registers, StandWhereXrtAndTheHostExpectThem) {
  EXPECT_EQ(offset_of("control"), 0x00U);
  EXPECT_EQ(offset_of("interrupt_global"), 0x04U);
  EXPECT_EQ(offset_of("interrupt_enable"), 0x08U);
  EXPECT_EQ(offset_of("interrupt_status"), 0x0CU);
  EXPECT_EQ(offset_of("input"), 0x10U);
  EXPECT_EQ(argument_id("input"), 0);
  EXPECT_EQ(argument_id("table_first"), 5);
}

TEST(Registers, ArgumentsFollowEachOtherWithoutAGap) {
  // XRT's start packet writes every word from 0x10 to the last argument: nothing else may lie between.
  std::uint32_t next = 0x10;
  for (const Argument& argument : kArguments) {
    const auto* entry = std::find_if(kRegisters.begin(), kRegisters.end(), [&](const Register& candidate) {
      return candidate.name == argument.name;
    });
    ASSERT_NE(entry, kRegisters.end());
    EXPECT_EQ(entry->offset, next) << argument.name;
    next += entry->bytes;
  }
}

TEST(Registers, EachHasANameOfItsOwnAndAMeaning) {
  std::set<std::string_view> names;
  for (const Register& entry : kRegisters) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.meaning.empty()) << entry.name;
    EXPECT_THAT(std::string(entry.meaning), Not(HasSubstr("|"))) << "would break the table";
  }
}

TEST(Registers, KernelXmlNamesTheProtocol) {
  EXPECT_THAT(kernel_xml(Protocol::kHandshake), HasSubstr("hwControlProtocol=\"ap_ctrl_hs\""));
  EXPECT_THAT(kernel_xml(Protocol::kChain), HasSubstr("hwControlProtocol=\"ap_ctrl_chain\""));
  EXPECT_EQ(protocol_named("ap_ctrl_chain"), Protocol::kChain);
  EXPECT_EQ(protocol_named("ap_ctrl_none"), std::nullopt);
}

TEST(Registers, MetadataPlacesTheInstances) {
  const std::array instances{Instance{.name = "kan_kernel_1", .base = 0x1800000, .clock_mhz = 250},
                             Instance{.name = "kan_kernel_2", .base = 0x1810000, .clock_mhz = 250}};
  const std::string text = embedded_metadata(Protocol::kHandshake, instances);
  EXPECT_THAT(text, HasSubstr("numComputeUnits=\"2\""));
  EXPECT_THAT(text, HasSubstr("<instance name=\"kan_kernel_1\"><addrRemap base=\"0x1800000\""));
  EXPECT_THAT(text, HasSubstr("<instance name=\"kan_kernel_2\"><addrRemap base=\"0x1810000\""));
  EXPECT_THAT(text, HasSubstr("frequency=\"250MHz\""));
  EXPECT_THAT(text, HasSubstr("range=\"0x1000\""));
}

}  // namespace
}  // namespace kantrig::card
