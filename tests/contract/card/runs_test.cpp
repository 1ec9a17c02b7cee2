// Runs on the emulated card through XRT: scores equal to the reference, several at once, on several units.
#include <experimental/xrt_ip.h>
#include <experimental/xrt_system.h>
#include <experimental/xrt_xclbin.h>
#include <gmock/gmock.h>

#include <array>

#include "contract/card/raw_card.hpp"
#include "support/plain_design.hpp"

namespace kantrig::test {
namespace {

class Runs : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!can_emulate()) return;
    std::printf("seed 71\n");
    auto bundle = packed(two_layer_bundle(), Tables::kFixed, 2);
    ASSERT_TRUE(bundle) << bundle.error().message;
    bundle_ = std::make_unique<kan::Bundle>(std::move(*bundle));
  }
  void SetUp() override {
    if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
    ASSERT_NE(bundle_, nullptr);
  }
  static std::unique_ptr<kan::Bundle> bundle_;
  EmulatedCard emulated_;
  std::mt19937_64 random_{71};
};
std::unique_ptr<kan::Bundle> Runs::bundle_;

TEST_F(Runs, XrtReadsTheXclbinThatWeWrote) {
  const xrt::xclbin file(xclbin_file(*bundle_, emulated_.folder()));
  ASSERT_EQ(file.get_kernels().size(), 1U);
  const xrt::xclbin::kernel kernel = file.get_kernel("kan_kernel");
  EXPECT_EQ(kernel.get_cus().size(), 2U);
  std::vector<std::string> names;
  for (const auto& argument : kernel.get_args()) names.push_back(argument.get_name());
  EXPECT_THAT(names, testing::ElementsAre("input", "output", "events", "bank", "mode", "table_first"));
  EXPECT_EQ(file.get_xsa_name(), "kantrig_emulated");
  ASSERT_EQ(file.get_mems().size(), 2U);
  EXPECT_EQ(file.get_mems()[1].get_tag(), "DDR[1]");
  EXPECT_EQ(file.get_mems()[1].get_size_kb(), 1U << 20U);
}

TEST_F(Runs, TheCardIsThereWithNameAndAddress) {
  EXPECT_EQ(xrt::system::enumerate_devices(), 1U);
  const xrt::device device(0);
  EXPECT_EQ(device.get_info<xrt::info::device::name>(), "kantrig_emulated");
  EXPECT_EQ(device.get_info<xrt::info::device::bdf>(), "0000:00:00.0");
  EXPECT_ANY_THROW(xrt::device(1));
}

TEST_F(Runs, GoldenAndRandomEventsGiveTheReferencesScores) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  const Events golden{
      .count = bundle_->golden.count, .codes = bundle_->golden.inputs, .scores = bundle_->golden.outputs};
  slot.start(golden);
  ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(slot.wrong(golden), 0U);
  for (const std::uint32_t count : {1U, 2U, 31U, 32U, 33U, 257U, kEventsMax}) {
    const Events events = random_events(bundle_->model, count, random_);
    slot.start(events);
    ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_EQ(slot.wrong(events), 0U) << count << " events";
  }
}

TEST_F(Runs, SeveralRunsInFlightOnTwoUnitsEachGiveTheirOwnScores) {
  const RawCard card(*bundle_, emulated_);
  std::vector<RawSlot> slots;
  for (int i = 0; i < 6; ++i) slots.push_back(card.slot());
  for (int round = 0; round < 10; ++round) {
    std::vector<Events> events;
    for (RawSlot& slot : slots) {
      events.push_back(
          random_events(bundle_->model, 1 + static_cast<std::uint32_t>(random_() % 300), random_));
      slot.start(events.back());
    }
    for (std::size_t i = 0; i < slots.size(); ++i) {
      ASSERT_EQ(slots[i].wait(), ERT_CMD_STATE_COMPLETED);
      EXPECT_EQ(slots[i].wrong(events[i]), 0U) << "round " << round << " slot " << i;
    }
  }
}

TEST_F(Runs, BothUnitsAreUsedWhenSeveralRunsWait) {
  emulated_.command("fault slow 20ms");
  std::uint32_t runs[2] = {0, 0};
  {
    RawCard card(*bundle_, emulated_);
    {
      RawSlot first = card.slot();
      RawSlot second = card.slot();
      const Events events = random_events(bundle_->model, 10, random_);
      first.start(events);
      second.start(events);
      ASSERT_EQ(first.wait(), ERT_CMD_STATE_COMPLETED);
      ASSERT_EQ(second.wait(), ERT_CMD_STATE_COMPLETED);
    }
    card.kernel.reset();
    for (unsigned unit = 0; unit < 2; ++unit) {
      xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_" + std::to_string(unit + 1) + "}");
      runs[unit] = ip.read_register(0xE8);
    }
  }
  EXPECT_EQ(runs[0], 1U);
  EXPECT_EQ(runs[1], 1U);
}

TEST_F(Runs, RegistersAreTheKernels) {
  RawCard card(*bundle_, emulated_);
  card.kernel.reset();
  xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_1}");
  EXPECT_EQ(ip.read_register(0x40), 0x544E'414BU) << "magic";
  EXPECT_EQ(ip.read_register(0x48), 0U) << "fixed";
  EXPECT_EQ(ip.read_register(0x54), card.image.input.record_bits);
  EXPECT_EQ(ip.read_register(0x5C), card.image.output.record_bits);
  std::string digest;
  for (std::uint32_t word = 8; word > 0; --word) {
    std::array<char, 9> text{};
    std::snprintf(text.data(), text.size(), "%08x", ip.read_register(0x80 + 4 * (word - 1)));
    digest += text.data();
  }
  EXPECT_EQ(digest, card.image.hardware_digest);
}

TEST_F(Runs, AnInterruptTellsOfTheEndOfARunThatWasStartedByRegister) {
  RawCard card(*bundle_, emulated_);
  card.kernel.reset();
  xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_1}");
  auto interrupt = ip.create_interrupt_notify();
  ip.write_register(0x04, 1);
  ip.write_register(0x08, 1);
  ip.write_register(0x20, 0);  // no events: done at once
  for (int i = 0; i < 20; ++i) {
    ip.write_register(0x00, 1);
    ASSERT_EQ(interrupt.wait(kPatience), std::cv_status::no_timeout) << i;
    EXPECT_EQ(ip.read_register(0x00) & 0x6U, 0x6U) << "done and idle";
    ip.write_register(0x0C, 1);
  }
  EXPECT_EQ(interrupt.wait(std::chrono::milliseconds(20)), std::cv_status::timeout);
}

TEST_F(Runs, ARunThatReadsWhereNoMemoryIsEndsWithTheErrorOfTheKernel) {
  RawCard card(*bundle_, emulated_);
  card.kernel.reset();
  xrt::ip ip(card.device, card.uuid, "kan_kernel:{kan_kernel_1}");
  for (const std::uint32_t offset : {0x10U, 0x14U, 0x18U, 0x1CU}) ip.write_register(offset, 0);
  ip.write_register(0x20, 8);
  ip.write_register(0x28, 0);
  auto interrupt = ip.create_interrupt_notify();
  ip.write_register(0x04, 1);
  ip.write_register(0x08, 1);
  ip.write_register(0x00, 1);
  ASSERT_EQ(interrupt.wait(kPatience), std::cv_status::no_timeout);
  EXPECT_EQ(ip.read_register(0xA0) & 1U, 1U) << "read response";
}

TEST_F(Runs, MemoryIsBoundedByTheBanksOfTheXclbin) {
  const RawCard card(*bundle_, emulated_);
  const int group = card.kernel->group_id(0);
  std::vector<xrt::bo> buffers;
  for (int i = 0; i < 3; ++i) buffers.emplace_back(card.device, std::size_t{300} << 20U, group);
  EXPECT_ANY_THROW(xrt::bo(card.device, std::size_t{300} << 20U, group)) << "1 GiB holds three of these";
  buffers.clear();
  EXPECT_NO_THROW(xrt::bo(card.device, std::size_t{300} << 20U, group));
}

TEST_F(Runs, AnInstantFabricCompletesAtOnceAndTouchesNothing) {
  const RawCard card(*bundle_, emulated_);
  RawSlot slot = card.slot();
  const Events first = random_events(bundle_->model, 100, random_);
  slot.start(first);
  ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
  emulated_.command("instant on");
  const Events second = random_events(bundle_->model, 100, random_);
  slot.start(second);
  ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(slot.wrong(first), 0U) << "the output is no longer that of the first run";
  emulated_.command("instant off");
  slot.start(second);
  ASSERT_EQ(slot.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(slot.wrong(second), 0U);
}

TEST(RunsOfTwoCards, AreOfTheirOwn) {
  if (!can_emulate()) GTEST_SKIP() << kCannotEmulate;
  const EmulatedCard emulated(2);
  auto bundle = packed(two_layer_bundle(), Tables::kFixed, 1);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(xrt::system::enumerate_devices(), 2U);
  const RawCard one(*bundle, emulated, 0);
  const RawCard two(*bundle, emulated, 1);
  emulated.command("--card 1 fault hang");
  std::mt19937_64 random(72);
  const Events events = random_events(bundle->model, 50, random);
  RawSlot good = one.slot();
  RawSlot hung = two.slot();
  hung.start(events);
  good.start(events);
  ASSERT_EQ(good.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(good.wrong(events), 0U);
  EXPECT_EQ(hung.wait(std::chrono::milliseconds(50)), ERT_CMD_STATE_TIMEOUT);
  emulated.command("--card 1 clear");
}

}  // namespace
}  // namespace kantrig::test
