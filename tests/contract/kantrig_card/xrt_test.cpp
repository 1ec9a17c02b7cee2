// The seam to XRT on the emulated card: what the device does wrong becomes a fault of its kind, nothing is
// thrown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include "apps/kantrig-card/prover.hpp"
#include "apps/kantrig-card/xrt/device.hpp"
#include "apps/kantrig-card/xrt/fabric.hpp"
#include "apps/kantrig-card/xrt/image.hpp"
#include "support/card_bundles.hpp"
#include "support/plain_design.hpp"

namespace kantrig::card_host {
namespace {

using std::chrono::milliseconds;
using test::Tables;
using testing::HasSubstr;

constexpr std::uint32_t kEvents = 64;
constexpr const char* kAddress = "0000:00:00.0";

CardBundle card_bundle(const kan::Bundle& packed) {
  CardBundle bundle;
  bundle.bundle = packed;
  bundle.image = test::image_of(packed);
  if (!bundle.image.overlay) return bundle;
  const std::string& tables = packed.fpga_files.at("fpga/emulated.tables");
  bundle.tables.resize(tables.size() / sizeof(std::uint32_t));
  std::memcpy(bundle.tables.data(), tables.data(), tables.size());
  return bundle;
}

class XrtSeam : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!test::can_emulate()) return;
    overlay_ = test::packed(test::two_layer_bundle(), Tables::kOverlay, 2).value();
    fixed_ = test::packed(test::two_layer_bundle(), Tables::kFixed, 1).value();
  }
  static void TearDownTestSuite() {
    overlay_.reset();
    fixed_.reset();
  }
  void SetUp() override {
    if (!test::can_emulate()) GTEST_SKIP() << test::kCannotEmulate;
  }

  static const std::string& xclbin_of(const kan::Bundle& packed) {
    return packed.fpga_files.at("fpga/emulated.xclbin");
  }
  static Image image_of(const kan::Bundle& packed) { return Image::parse(xclbin_of(packed)).value(); }

  /// An open card that is loaded with `packed`.
  struct Loaded {
    Device device;
    std::shared_ptr<Fabric> fabric;
    Buffer input, output;
    card_host::Run run;
  };
  static Loaded loaded(const kan::Bundle& packed) {
    Loaded card{Device::open("0").value(), nullptr, {}, {}, {}};
    const Image image = image_of(packed);
    EXPECT_TRUE(card.device.load(image));
    card.fabric = Fabric::open(card.device, image, test::image_of(packed)).value();
    card.input = card.fabric->make_buffer(0, Fabric::Use::kInput, 4'096).value();
    card.output = card.fabric->make_buffer(0, Fabric::Use::kOutput, 4'096).value();
    card.run = card.fabric->make_run(0, card.input, card.output).value();
    return card;
  }
  static DeviceResult<RunState> finish(card_host::Run& run) {
    for (int i = 0; i < 20'000; ++i) {
      const auto state = run.wait(milliseconds(1));
      if (!state || *state == RunState::kDone) return state;
    }
    return RunState::kGoing;
  }
  template <typename T>
  static FaultKind kind_of(const DeviceResult<T>& result) {
    EXPECT_FALSE(result);
    return result ? FaultKind::kMemory : result.error().kind;
  }

  static std::optional<kan::Bundle> overlay_;
  static std::optional<kan::Bundle> fixed_;
  test::EmulatedCard card_;
  base::SystemClock clock_;
};
std::optional<kan::Bundle> XrtSeam::overlay_;
std::optional<kan::Bundle> XrtSeam::fixed_;

TEST_F(XrtSeam, OpensACardByAddressAndByIndexAndListsIt) {
  for (const char* which : {"0", kAddress}) {
    const auto device = Device::open(which);
    ASSERT_TRUE(device) << which << ": " << device.error().message;
    EXPECT_EQ(device->name().address, kAddress);
    EXPECT_EQ(device->name().name, "kantrig_emulated");
  }
  const auto devices = Device::list();
  ASSERT_TRUE(devices);
  EXPECT_EQ(devices->size(), 1U);
}

TEST_F(XrtSeam, SaysWhichCardsThereAreWhenAnAddressIsNotThere) {
  const auto device = Device::open("0000:99:00.1");
  ASSERT_EQ(kind_of(device), FaultKind::kLost);
  EXPECT_THAT(device.error().message, HasSubstr("expected one of 0000:00:00.0"));
}

TEST_F(XrtSeam, LosesACardThatIsAbsent) {
  card_.command("fault absent");
  EXPECT_EQ(kind_of(Device::open("0")), FaultKind::kLost);
  EXPECT_EQ(kind_of(Device::open(kAddress)), FaultKind::kLost);
  const auto devices = Device::list();
  ASSERT_TRUE(devices);
  EXPECT_TRUE(devices->empty());
  card_.command("clear");
  EXPECT_TRUE(Device::open("0"));
}

TEST_F(XrtSeam, LosesACardThatIsDead) {
  card_.command("fault die");
  EXPECT_EQ(kind_of(Device::open("0")), FaultKind::kLost);
}

TEST_F(XrtSeam, ReadsWhatAnXclbinHoldsWithoutACard) {
  card_.command("fault absent");
  const Image image = image_of(*overlay_);
  EXPECT_TRUE(check_image(image.facts(), test::image_of(*overlay_)));
  ASSERT_EQ(image.facts().kernels.size(), 1U);
  EXPECT_EQ(image.facts().kernels[0].compute_units.size(), 2U);
}

TEST_F(XrtSeam, RefusesATruncatedOrDamagedXclbin) {
  const std::string& whole = xclbin_of(*overlay_);
  for (const std::size_t bytes : {std::size_t{8}, std::size_t{300}, std::size_t{456}, std::size_t{600}}) {
    const auto image = Image::parse(whole.substr(0, bytes));
    const bool refused = !image || !check_image(image->facts(), test::image_of(*overlay_));
    EXPECT_TRUE(refused) << bytes;
  }
}

TEST_F(XrtSeam, ReproducesGoldenVectorsOnEveryComputeUnit) {
  const Loaded card = loaded(*overlay_);
  const CardBundle bundle = card_bundle(*overlay_);
  EXPECT_EQ(card.fabric->compute_units(), 2U);
  EXPECT_TRUE(card.fabric->facts().overlay);
  auto prover = Prover::create(card.fabric, bundle.image, clock_, {}).value();
  for (const std::uint32_t bank : {0U, 1U}) {
    ASSERT_TRUE(prover->write_tables(bundle, bank));
    const auto vectors = prover->replay(bundle, bank);
    ASSERT_TRUE(vectors) << vectors.error().message;
    EXPECT_EQ(*vectors, 20U);
  }
}

TEST_F(XrtSeam, FindsGoldenVectorsThatComeBackWrong) {
  const Loaded card = loaded(*fixed_);
  const CardBundle bundle = card_bundle(*fixed_);
  auto prover = Prover::create(card.fabric, bundle.image, clock_, {}).value();
  card_.command("fault corrupt always");
  EXPECT_EQ(kind_of(prover->replay(bundle, 0)), FaultKind::kGolden);
}

TEST_F(XrtSeam, PassesTheErrnoOnOfAnXclbinThatTheCardRefuses) {
  struct Case {
    const char* name;
    int error;
    FaultKind kind;
  };
  for (const Case& c : {Case{"EINVAL", EINVAL, FaultKind::kRefused}, Case{"EIO", EIO, FaultKind::kIo},
                        Case{"EBUSY", EBUSY, FaultKind::kBusy}, Case{"ENODEV", ENODEV, FaultKind::kLost},
                        Case{"EPERM", EPERM, FaultKind::kRefused}, Case{"ENOMEM", ENOMEM, FaultKind::kMemory},
                        Case{"ETIMEDOUT", ETIMEDOUT, FaultKind::kTimeout}}) {
    card_.command("clear");
    card_.command(std::string("fault refuse-xclbin ") + c.name);
    Device device = Device::open("0").value();
    const auto done = device.load(image_of(*fixed_));
    ASSERT_EQ(kind_of(done), c.kind) << c.name;
    EXPECT_EQ(done.error().error, c.error) << done.error().message;
  }
}

TEST_F(XrtSeam, CannotLoadAnotherXclbinWhileUnitsAreOpen) {
  Loaded card = loaded(*overlay_);
  EXPECT_EQ(kind_of(card.device.load(image_of(*fixed_))), FaultKind::kBusy);
  card.run = {};
  card.input = {};
  card.output = {};
  card.fabric.reset();
  EXPECT_TRUE(card.device.load(image_of(*fixed_)));
}

TEST_F(XrtSeam, CannotTakeUnitsThatSomebodyElseHolds) {
  card_.command("fault busy");
  Device device = Device::open("0").value();
  const Image image = image_of(*fixed_);
  ASSERT_TRUE(device.load(image));
  EXPECT_EQ(kind_of(Fabric::open(device, image, test::image_of(*fixed_))), FaultKind::kBusy);
}

TEST_F(XrtSeam, RefusesHardwareWhoseRegistersAreNotTheBundles) {
  Device device = Device::open("0").value();
  const Image image = image_of(*fixed_);
  ASSERT_TRUE(device.load(image));
  kan::CardImage other = test::image_of(*fixed_);
  other.hardware_digest = std::string(64, '0');
  const auto fabric = Fabric::open(device, image, other);
  ASSERT_EQ(kind_of(fabric), FaultKind::kRefused);
  EXPECT_THAT(fabric.error().message, HasSubstr("register model_digest reads"));
}

TEST_F(XrtSeam, FindsAFirewallThatHasTrippedBeforeTheUnitsAreOpened) {
  Device device = Device::open("0").value();
  const Image image = image_of(*fixed_);
  ASSERT_TRUE(device.load(image));
  card_.command("fault firewall");
  const auto fabric = Fabric::open(device, image, test::image_of(*fixed_));
  ASSERT_EQ(kind_of(fabric), FaultKind::kFirewall);
  EXPECT_THAT(fabric.error().message, HasSubstr("all ones"));
}

TEST_F(XrtSeam, SeesAFirewallInRegistersAndInTheEndOfRuns) {
  Loaded card = loaded(*fixed_);
  card_.command("fault firewall");
  EXPECT_EQ(kind_of(card.fabric->read_register(0, card::offset_of("axi_errors"))), FaultKind::kFirewall);
  ASSERT_TRUE(card.run.start({.events = kEvents}));
  EXPECT_EQ(kind_of(finish(card.run)), FaultKind::kFirewall);
}

TEST_F(XrtSeam, ReadsNoRegisterOutsideTheUnit) {
  const Loaded card = loaded(*fixed_);
  const auto value = card.fabric->read_register(0, card::kRegisterRangeBytes);
  EXPECT_EQ(kind_of(value), FaultKind::kRefused);
}

TEST_F(XrtSeam, GivesTheErrnoOfACopyThatFails) {
  const Loaded card = loaded(*fixed_);
  card_.command("fault io-error");
  const auto there = card.input.to_card(kEvents);
  ASSERT_EQ(kind_of(there), FaultKind::kIo);
  EXPECT_EQ(there.error().error, EIO) << there.error().message;
  EXPECT_EQ(kind_of(card.output.from_card(kEvents)), FaultKind::kIo);
}

TEST_F(XrtSeam, GivesTheErrnoOfARunThatCannotBeStarted) {
  Loaded card = loaded(*fixed_);
  card_.command("fault die");
  const auto started = card.run.start({.events = kEvents});
  ASSERT_EQ(kind_of(started), FaultKind::kLost);
  EXPECT_EQ(started.error().error, ENODEV) << started.error().message;
}

TEST_F(XrtSeam, ComesBackFromEveryWaitForARunThatHangs) {
  Loaded card = loaded(*fixed_);
  card_.command("fault hang once");
  ASSERT_TRUE(card.run.start({.events = kEvents}));
  for (int i = 0; i < 20; ++i) {
    const auto state = card.run.wait(milliseconds(1));
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(*state, RunState::kGoing);
  }
}

TEST_F(XrtSeam, ServesAgainAfterAHangAndAReset) {
  {
    Loaded card = loaded(*fixed_);
    card_.command("fault hang once");
    ASSERT_TRUE(card.run.start({.events = kEvents}));
    EXPECT_EQ(card.run.wait(milliseconds(1)).value(), RunState::kGoing);
  }
  card_.command("reset");
  Loaded card = loaded(*fixed_);
  ASSERT_TRUE(card.run.start({.events = kEvents}));
  EXPECT_EQ(finish(card.run).value(), RunState::kDone);
}

TEST_F(XrtSeam, SeesTheEndOfARunThatNobodyIsToldOf) {
  Loaded card = loaded(*fixed_);
  card_.command("fault drop-interrupt");
  ASSERT_TRUE(card.run.start({.events = kEvents}));
  EXPECT_EQ(finish(card.run).value(), RunState::kDone);
  ASSERT_TRUE(card.run.start({.events = kEvents}));  // and it can be started again
  EXPECT_EQ(finish(card.run).value(), RunState::kDone);
}

TEST_F(XrtSeam, StartsARunAgainThatWasOnlyAskedForItsState) {
  Loaded card = loaded(*fixed_);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(card.run.start({.events = kEvents}));
    for (;;) {
      const auto state = card.run.state();
      ASSERT_TRUE(state) << state.error().message;
      if (*state == RunState::kDone) break;
      std::this_thread::yield();
    }
  }
}

TEST_F(XrtSeam, HasNoMemoryForABufferThatIsLargerThanTheCard) {
  const Loaded card = loaded(*fixed_);
  constexpr std::size_t kBytes = std::size_t{1} << 32U;  // four times its bank; never touched
  void* const memory =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_EQ(
      kind_of(card.fabric->adopt_memory(0, Fabric::Use::kInput, {static_cast<std::byte*>(memory), kBytes})),
      FaultKind::kMemory);
  ::munmap(memory, kBytes);
}

TEST_F(XrtSeam, SeesARunEndInTimeOrNotByTheProversOwnDeadline) {
  const Loaded card = loaded(*fixed_);
  const CardBundle bundle = card_bundle(*fixed_);
  auto prover = Prover::create(card.fabric, bundle.image, clock_, {.deadline_ns = 20'000'000}).value();
  card_.command("fault slow 200ms");
  EXPECT_EQ(kind_of(prover->replay(bundle, 0)), FaultKind::kTimeout);
}

}  // namespace
}  // namespace kantrig::card_host
