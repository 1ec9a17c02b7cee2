// When the emulated card takes another xclbin, and who may use its compute units: as the driver has it.
#include <experimental/xrt_ip.h>

#include <unistd.h>
#include <cerrno>

#include <cstdlib>
#include <fstream>

#include "contract/card/raw_card.hpp"
#include "support/command.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

using std::chrono::steady_clock;
constexpr const char* kSecondProcess = "KANTRIG_TEST_SECOND_PROCESS";

class Swap : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!can_emulate()) return;
    std::printf("seed 74\n");
    for (const Tables tables : {Tables::kFixed, Tables::kOverlay}) {
      auto bundle = packed(two_layer_bundle(), tables, 1);
      ASSERT_TRUE(bundle) << bundle.error().message;
      bundles_.push_back(std::move(*bundle));
    }
  }
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
    ASSERT_EQ(bundles_.size(), 2U);
  }
  void expect_right_scores(const RawCard& card) {
    RawSlot slot = card.slot();
    const Events events = random_events(bundles_[0].model, 60, random_);
    slot.start(events);
    ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_EQ(slot.wrong(events), 0U);
  }
  static std::vector<kan::Bundle> bundles_;
  EmulatedCard emulated_;
  std::mt19937_64 random_{74};
};
std::vector<kan::Bundle> Swap::bundles_;

TEST_F(Swap, AnotherXclbinIsRefusedWhileAUnitIsInUseAndTakenAfterwards) {
  RawCard card(bundles_[0], emulated_);
  expect_right_scores(card);
  const std::string other = xclbin_file(bundles_[1], emulated_.folder());
  EXPECT_EQ(errno_of([&] { card.device.load_xclbin(other); }), EBUSY);
  card.kernel.reset();
  EXPECT_EQ(errno_of([&] { card.device.load_xclbin(other); }), 0);
  const RawCard back(bundles_[0], emulated_);
  expect_right_scores(back);
}

TEST_F(Swap, AfterARefusalTheOldXclbinIsLoadedAgainAndServes) {
  RawCard card(bundles_[0], emulated_);
  EXPECT_EQ(errno_of([&] { card.device.load_xclbin(xclbin_file(bundles_[1], emulated_.folder())); }), EBUSY);
  card.kernel.reset();
  const RawCard again(bundles_[0], emulated_);
  expect_right_scores(again);
}

TEST_F(Swap, ProgrammingTakesItsTimeAndTheSameXclbinNone) {
  emulated_.command("program-time 300ms");
  const auto begin = steady_clock::now();
  { const RawCard card(bundles_[0], emulated_); }
  const auto programmed = steady_clock::now();
  { const RawCard card(bundles_[0], emulated_); }
  const auto again = steady_clock::now();
  EXPECT_GE(programmed - begin, std::chrono::milliseconds(300));
  EXPECT_LT(again - programmed, std::chrono::milliseconds(300)) << "the card kept it";
  EXPECT_NE(emulated_.command("status --json").find("\"xclbins\": 1"), std::string::npos);
}

TEST_F(Swap, AFileThatIsNoXclbinOfTheEmulatedCardIsRefused) {
  const auto load = [&](const std::string& bytes) {
    const std::string path = (emulated_.folder() / "wrong.xclbin").string();
    std::ofstream(path, std::ios::binary) << bytes;
    xrt::device device(0);
    return errno_of([&] { device.load_xclbin(path); });
  };
  std::string wrong = bundles_[0].fpga_files.at("fpga/emulated.xclbin");
  const std::size_t elf = wrong.find(
      "\x7F"
      "ELF");
  ASSERT_NE(elf, std::string::npos);
  wrong[elf] = 'x';
  wrong[416] = static_cast<char>(wrong[416] + 1);
  EXPECT_EQ(load(wrong), EINVAL) << "a bitstream for something else";
  EXPECT_NE(load("nothing"), 0);
  const RawCard card(bundles_[0], emulated_);
  expect_right_scores(card);
}

TEST_F(Swap, AUnitIsSharedOrExclusiveNeverBoth) {
  RawCard card(bundles_[0], emulated_);
  const std::string unit = "kan_kernel:{kan_kernel_1}";
  EXPECT_EQ(errno_of([&] { xrt::ip(card.device, card.uuid, unit); }), EBUSY);
  card.kernel.reset();
  {
    const xrt::ip ip(card.device, card.uuid, unit);
    EXPECT_EQ(errno_of([&] { xrt::ip(card.device, card.uuid, unit); }), EBUSY);
    EXPECT_EQ(errno_of([&] { xrt::kernel(card.device, card.uuid, "kan_kernel"); }), EBUSY);
  }
  EXPECT_EQ(errno_of([&] { xrt::kernel(card.device, card.uuid, "kan_kernel"); }), 0);
}

/// Run by the test below in a process of its own; prints what it got.
TEST(SwapOfAnotherProcess, DISABLED_TriesToUseTheCard) {
  const char* const files = std::getenv(kSecondProcess);
  ASSERT_NE(files, nullptr) << "only as the second process of another test";
  std::string same(files);
  const std::string other = same.substr(same.find(':') + 1);
  same.resize(same.find(':'));
  xrt::device device(0);
  xrt::uuid uuid = device.load_xclbin(same);
  std::printf("exclusive %d\n", errno_of([&] { xrt::ip(device, uuid, "kan_kernel:{kan_kernel_1}"); }));
  std::printf("shared %d\n", errno_of([&] { xrt::kernel(device, uuid, "kan_kernel"); }));
  std::printf("swap %d\n", errno_of([&] { device.load_xclbin(other); }));
}

TEST_F(Swap, AnotherProcessCanShareAUnitButNotOwnItNorProgramTheCard) {
  const auto second = [&] {
    ::setenv(
        kSecondProcess,
        (xclbin_file(bundles_[0], emulated_.folder()) + ":" + xclbin_file(bundles_[1], emulated_.folder()))
            .c_str(),
        1);
    const auto outcome =
        run_command("/proc/" + std::to_string(::getpid()) +
                    "/exe --gtest_also_run_disabled_tests --gtest_filter=SwapOfAnotherProcess.* 2>&1");
    ::unsetenv(kSecondProcess);
    return outcome.output;
  };
  RawCard card(bundles_[0], emulated_);
  std::string said = second();
  EXPECT_NE(said.find("exclusive 16\nshared 0\nswap 16\n"), std::string::npos) << said;
  expect_right_scores(card);
  card.kernel.reset();
  said = second();
  EXPECT_NE(said.find("exclusive 0\nshared 0\nswap 0\n"), std::string::npos) << said;
}

}  // namespace
}  // namespace kantrig::test
