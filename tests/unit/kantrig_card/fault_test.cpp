#include "apps/kantrig-card/xrt/fault.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include "apps/kantrig-card/fault_box.hpp"
#include "apps/kantrig-card/xrt/guard.hpp"

namespace kantrig::card_host {
namespace {

template <typename Exception>
Fault thrown(const Exception& exception) {
  const auto result = guard("working", [&] { throw exception; });
  EXPECT_FALSE(result);
  return result ? Fault{} : result.error();
}

Fault system_error(int error) {
  return thrown(std::system_error(error, std::generic_category(), "failed"));
}

TEST(Fault, KnowsTheKindOfEveryErrnoThatDriversGive) {
  EXPECT_EQ(system_error(EIO).kind, FaultKind::kIo);
  EXPECT_EQ(system_error(ENODEV).kind, FaultKind::kLost);
  EXPECT_EQ(system_error(ENXIO).kind, FaultKind::kLost);
  EXPECT_EQ(system_error(EBUSY).kind, FaultKind::kBusy);
  EXPECT_EQ(system_error(EAGAIN).kind, FaultKind::kBusy);
  EXPECT_EQ(system_error(ENOMEM).kind, FaultKind::kMemory);
  EXPECT_EQ(system_error(ETIMEDOUT).kind, FaultKind::kTimeout);
  EXPECT_EQ(system_error(EINVAL).kind, FaultKind::kRefused);
  EXPECT_EQ(system_error(EPERM).kind, FaultKind::kRefused);
  EXPECT_EQ(system_error(EOPNOTSUPP).kind, FaultKind::kRefused);
  EXPECT_EQ(system_error(EACCES).kind, FaultKind::kNotSetUp);
  EXPECT_EQ(system_error(EPROTO).kind, FaultKind::kIo);
}

TEST(Fault, KeepsTheErrnoAlsoWhereXrtNegatesIt) {
  EXPECT_EQ(system_error(EBUSY).error, EBUSY);
  EXPECT_EQ(system_error(-EBUSY).error, EBUSY);
  EXPECT_EQ(system_error(-EBUSY).kind, FaultKind::kBusy);
}

TEST(Fault, FindsTheErrnoInTextsThatQuoteIt) {
  const Fault fault = thrown(std::runtime_error("unable to sync BO: Input/output error"));
  EXPECT_EQ(fault.kind, FaultKind::kIo);
  EXPECT_EQ(fault.error, EIO);
  EXPECT_EQ(thrown(std::runtime_error("exec: No such device")).kind, FaultKind::kLost);
  EXPECT_EQ(errno_in("all is well"), 0);
}

TEST(Fault, TellsXrtThatIsNotSetUpFromACardThatIsNotThere) {
  EXPECT_EQ(thrown(std::runtime_error("XILINX_XRT not set")).kind, FaultKind::kNotSetUp);
  EXPECT_EQ(thrown(std::runtime_error("No such library '/usr/lib/libxrt_core.so.2'")).kind,
            FaultKind::kNotSetUp);
  EXPECT_EQ(thrown(std::runtime_error("Could not open device with index '0'")).kind, FaultKind::kLost);
}

TEST(Fault, TakesXrtsOwnObjectionsForRefusals) {
  EXPECT_EQ(thrown(std::runtime_error("xclbin id mismatch")).kind, FaultKind::kRefused);
  EXPECT_EQ(thrown(std::out_of_range("offset")).kind, FaultKind::kRefused);
}

TEST(Fault, KnowsThatMemoryRanOut) {
  EXPECT_EQ(thrown(std::bad_alloc()).kind, FaultKind::kMemory);
}

TEST(Fault, SurvivesWhatIsNoException) {
  EXPECT_EQ(thrown(42).kind, FaultKind::kIo);
}

TEST(Fault, SaysWhatWasBeingDone) {
  EXPECT_EQ(thrown(std::runtime_error("no")).message, "working: no");
  EXPECT_EQ(thrown(std::runtime_error("no")).within("card 0").message, "card 0: working: no");
}

TEST(Fault, BecomesAnErrorOfItsKind) {
  EXPECT_EQ((Fault{FaultKind::kTimeout, 0, ""}.to_error().code), ErrorCode::kTimeout);
  EXPECT_EQ((Fault{FaultKind::kBusy, 0, ""}.to_error().code), ErrorCode::kBusy);
  EXPECT_EQ((Fault{FaultKind::kGolden, 0, ""}.to_error().code), ErrorCode::kCorrupt);
  EXPECT_EQ((Fault{FaultKind::kRefused, 0, ""}.to_error().code), ErrorCode::kInvalid);
  EXPECT_EQ((Fault{FaultKind::kNotSetUp, 0, ""}.to_error().code), ErrorCode::kUnsupported);
  EXPECT_EQ((Fault{FaultKind::kFirewall, 0, ""}.to_error().code), ErrorCode::kIo);
}

TEST(Fault, HasANameForEveryKind) {
  for (std::size_t i = 0; i < kFaultKinds; ++i) EXPECT_FALSE(name_of(static_cast<FaultKind>(i)).empty()) << i;
}

TEST(FaultBox, KeepsTheFirstFaultUntilItIsTaken) {
  FaultBox box;
  EXPECT_FALSE(box.full());
  box.put({FaultKind::kIo, EIO, "first"});
  box.put({FaultKind::kTimeout, 0, "second"});
  EXPECT_TRUE(box.full());
  EXPECT_EQ(box.take()->message, "first");
  EXPECT_FALSE(box.full());
  EXPECT_FALSE(box.take());
}

}  // namespace
}  // namespace kantrig::card_host
