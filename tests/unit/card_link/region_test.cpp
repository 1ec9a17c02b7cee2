#include "card_link/region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/card_link/descriptors.hpp"

namespace kantrig::card_link {
namespace {

using testing::HasSubstr;

constexpr RegionShape kShape{.ports = 3, .slots = 5, .input_bytes = 8'192, .output_bytes = 4'096};

/// Another descriptor of the same memory, as if it had come over a socket.
int duplicate_of(const Region& region) {
  return ::fcntl(region.fd(), F_DUPFD_CLOEXEC, 0);
}

TEST(Region, IsTheSameMemoryOnBothSides) {
  const auto daemon = Region::create(kShape).value();
  const auto card = Region::map(duplicate_of(*daemon), kShape).value();
  EXPECT_EQ(card->shape(), kShape);
  std::byte mark{1};
  for (std::uint32_t port = 0; port < kShape.ports; ++port) {
    for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) {
      daemon->input(port, slot).back() = mark;
      card->output(port, slot).front() = mark;
      daemon->record(port, slot).load_id = static_cast<std::uint64_t>(mark);
      mark = static_cast<std::byte>(static_cast<int>(mark) + 1);
    }
  }
  mark = std::byte{1};
  for (std::uint32_t port = 0; port < kShape.ports; ++port) {
    for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) {
      EXPECT_EQ(card->input(port, slot).back(), mark);
      EXPECT_EQ(daemon->output(port, slot).front(), mark);
      EXPECT_EQ(card->record(port, slot).load_id, static_cast<std::uint64_t>(mark));
      mark = static_cast<std::byte>(static_cast<int>(mark) + 1);
    }
  }
}

TEST(Region, EveryPartLiesApartAndBuffersBeginAtAPage) {
  const auto region = Region::create(kShape).value();
  std::set<std::pair<std::uintptr_t, std::uintptr_t>> parts;
  const auto add = [&](const void* begin, std::size_t bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(begin);
    parts.emplace(at, at + bytes);
  };
  add(&region->header(), sizeof(RegionHeader));
  for (std::uint32_t port = 0; port < kShape.ports; ++port) {
    add(&region->port(port), sizeof(PortBlock));
    for (std::uint32_t slot = 0; slot < kShape.slots; ++slot) {
      add(&region->record(port, slot), sizeof(SlotRecord));
      for (const auto part : {region->input(port, slot), region->output(port, slot)}) {
        add(part.data(), part.size());
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(part.data()) % kPageBytes, 0U);
      }
    }
  }
  EXPECT_EQ(parts.size(), 1U + kShape.ports * (1 + kShape.slots * 3));
  std::uintptr_t end = 0;
  for (const auto& [first, last] : parts) {
    EXPECT_GE(first, end);
    end = last;
  }
}

TEST(Region, ShapesOutOfBoundsAreRefusedByTheFigure) {
  const auto refusal = [](RegionShape shape) { return check(shape).error().message; };
  EXPECT_THAT(refusal({.ports = 0}), HasSubstr("0 ports, expected 1 to 64"));
  EXPECT_THAT(refusal({.ports = 65}), HasSubstr("65 ports"));
  EXPECT_THAT(refusal({.slots = 0}), HasSubstr("0 slots"));
  EXPECT_THAT(refusal({.slots = 0xFFFF'FFFF}), HasSubstr("4294967295 slots a port, expected 1 to 64"));
  EXPECT_THAT(refusal({.input_bytes = 0}), HasSubstr("input of a slot 0 bytes"));
  EXPECT_THAT(refusal({.input_bytes = 4'097}), HasSubstr("expected a multiple of 4096"));
  EXPECT_THAT(refusal({.output_bytes = ~0ULL / 4'096 * 4'096}), HasSubstr("output of a slot"));
  EXPECT_THAT(refusal({.ports = 64, .slots = 64, .input_bytes = 64U << 20U, .output_bytes = 64U << 20U}),
              HasSubstr("of shared memory, expected at most"));
  EXPECT_FALSE(Region::create({.ports = 0}));
}

/// Memory as the other side should not have made it.
class HostileRegion : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(test::open_descriptors(), open_before_) << "a descriptor leaks"; }
  static Error refusal(int fd, const RegionShape& shape = kShape) {
    auto region = Region::map(fd, shape);
    return region ? Error{} : region.error();
  }
  /// A memfd of `bytes`, sealed with `seals`.
  static int memory(std::size_t bytes, int seals) {
    const int fd = ::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(bytes)), 0);
    EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
  }
  static std::size_t bytes_of(const Region& region) {
    return static_cast<std::size_t>(::lseek(region.fd(), 0, SEEK_END));
  }
  std::ptrdiff_t open_before_ = test::open_descriptors();
};

TEST_F(HostileRegion, OfAnotherSizeIsRefused) {
  const auto right = Region::create(kShape).value();
  const std::size_t bytes = bytes_of(*right);
  for (const std::size_t wrong : {std::size_t{0}, std::size_t{1}, bytes - 1, bytes - 4'096, bytes + 4'096})
    EXPECT_THAT(refusal(memory(wrong, F_SEAL_SHRINK)).message, HasSubstr("expected")) << wrong;
  RegionShape larger = kShape;
  ++larger.slots;
  EXPECT_THAT(refusal(duplicate_of(*right), larger).message, HasSubstr("for its shape"));
}

TEST_F(HostileRegion, ThatCouldShrinkIsRefused) {
  const std::size_t bytes = bytes_of(*Region::create(kShape).value());
  EXPECT_THAT(refusal(memory(bytes, F_SEAL_GROW)).message, HasSubstr("sealed against it"));
}

TEST_F(HostileRegion, ThatCannotBeWrittenIsRefused) {
  const std::size_t bytes = bytes_of(*Region::create(kShape).value());
  EXPECT_THAT(refusal(memory(bytes, F_SEAL_SHRINK | F_SEAL_WRITE)).message, HasSubstr("cannot map"));
}

TEST_F(HostileRegion, ThatIsNoMemoryOfItsOwnIsRefused) {
  int pipes[2];
  ASSERT_EQ(::pipe2(pipes, O_CLOEXEC), 0);
  EXPECT_FALSE(refusal(pipes[0]).message.empty());
  ::close(pipes[1]);
  EXPECT_FALSE(refusal(::open("/dev/null", O_RDWR | O_CLOEXEC)).message.empty());
  EXPECT_FALSE(refusal(-1).message.empty());
}

TEST_F(HostileRegion, WithAnotherHeaderIsRefused) {
  const std::vector<std::pair<std::string, std::function<void(RegionHeader&)>>> lies{
      {"layout", [](RegionHeader& header) { header.magic = 0; }},
      {"has layout 2, expected 1", [](RegionHeader& header) { header.layout_version = 2; }},
      {"another shape", [](RegionHeader& header) { ++header.ports; }},
      {"another shape", [](RegionHeader& header) { --header.slots; }},
      {"another shape", [](RegionHeader& header) { header.input_bytes += 4'096; }},
      {"another shape", [](RegionHeader& header) { header.output_bytes = ~0ULL; }}};
  for (const auto& [words, lie] : lies) {
    const auto region = Region::create(kShape).value();
    lie(region->header());
    EXPECT_THAT(refusal(duplicate_of(*region)).message, HasSubstr(words));
  }
}

TEST_F(HostileRegion, WithAShapeOutOfBoundsIsRefusedBeforeAnythingIsMapped) {
  const auto region = Region::create(kShape).value();
  RegionShape wild = kShape;
  wild.slots = 1U << 31U;
  EXPECT_THAT(refusal(duplicate_of(*region), wild).message, HasSubstr("slots a port"));
}

TEST_F(HostileRegion, LivesAsLongAsOneSideMapsIt) {
  auto daemon = Region::create(kShape).value();
  const auto card = Region::map(duplicate_of(*daemon), kShape).value();
  daemon->input(0, 0).front() = std::byte{7};
  daemon.reset();
  EXPECT_EQ(card->input(0, 0).front(), std::byte{7});
  card->output(2, 4).back() = std::byte{8};
}

}  // namespace
}  // namespace kantrig::card_link
