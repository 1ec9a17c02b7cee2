#include "card_link/region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace kantrig::card_link {
namespace {

constexpr std::uint64_t kMagic = 0x4B4E'494C'5243'4E4BULL;  // "KNCRLINK", read as bytes from the lowest
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

std::size_t port_bytes(const RegionShape& shape) noexcept {
  return whole_pages(sizeof(PortBlock) + shape.slots * sizeof(SlotRecord));
}

std::size_t region_bytes(const RegionShape& shape) noexcept {
  return whole_pages(sizeof(RegionHeader)) +
         shape.ports * (port_bytes(shape) + shape.slots * (shape.input_bytes + shape.output_bytes));
}

Result<std::byte*> map_memory(int fd, std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    return fail(ErrorCode::kIo, "card link: cannot map {} bytes of shared memory: {}", bytes,
                std::strerror(errno));
  return static_cast<std::byte*>(memory);
}

Result<void> check_bytes(std::string_view what, std::uint64_t bytes) {
  if (bytes > 0 && bytes <= kSlotBytesMax && bytes % kPageBytes == 0) return {};
  return fail(ErrorCode::kInvalid, "card link: {} {} bytes, expected a multiple of {} up to {}", what, bytes,
              kPageBytes, kSlotBytesMax);
}

}  // namespace

Result<void> check(const RegionShape& shape) {
  if (shape.ports < 1 || shape.ports > kPortsMax)
    return fail(ErrorCode::kInvalid, "card link: {} ports, expected 1 to {}", shape.ports, kPortsMax);
  if (shape.slots < 1 || shape.slots > kSlotsMax)
    return fail(ErrorCode::kInvalid, "card link: {} slots a port, expected 1 to {}", shape.slots, kSlotsMax);
  if (auto ok = check_bytes("input of a slot", shape.input_bytes); !ok) return ok;
  if (auto ok = check_bytes("output of a slot", shape.output_bytes); !ok) return ok;
  if (region_bytes(shape) > kRegionBytesMax)
    return fail(ErrorCode::kInvalid, "card link: {} bytes of shared memory, expected at most {}",
                region_bytes(shape), kRegionBytesMax);
  return {};
}

Result<std::shared_ptr<Region>> Region::create(const RegionShape& shape) {
  if (auto ok = check(shape); !ok) return tl::unexpected(ok.error());
  const int fd = ::memfd_create("kantrig-card", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fail(ErrorCode::kIo, "card link: memfd_create: {}", std::strerror(errno));
  const std::size_t bytes = region_bytes(shape);
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0 || ::fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(ErrorCode::kIo, "card link: cannot make {} bytes of shared memory: {}", bytes,
                std::strerror(error));
  }
  const auto memory = map_memory(fd, bytes);
  if (!memory) {
    ::close(fd);
    return tl::unexpected(memory.error());
  }
  std::shared_ptr<Region> region(new Region(shape, fd, *memory, bytes));
  auto* const header = new (*memory) RegionHeader;
  header->magic = kMagic;
  header->layout_version = kLayoutVersion;
  header->ports = shape.ports;
  header->slots = shape.slots;
  header->input_bytes = shape.input_bytes;
  header->output_bytes = shape.output_bytes;
  for (std::uint32_t port = 0; port < shape.ports; ++port) {
    new (&region->port(port)) PortBlock;
    for (std::uint32_t slot = 0; slot < shape.slots; ++slot) new (&region->record(port, slot)) SlotRecord;
  }
  return region;
}

Result<std::shared_ptr<Region>> Region::map(int fd, const RegionShape& shape) {
  struct Closer {
    int fd;
    ~Closer() {
      if (fd >= 0) ::close(fd);
    }
  } closer{fd};
  if (auto ok = check(shape); !ok) return tl::unexpected(ok.error());
  const std::size_t bytes = region_bytes(shape);
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return fail(ErrorCode::kIo, "card link: the region's descriptor: {}", std::strerror(errno));
  if (static_cast<std::size_t>(status.st_size) != bytes)
    return fail(ErrorCode::kInvalid, "card link: the region has {} bytes, expected {} for its shape",
                status.st_size, bytes);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
    return fail(ErrorCode::kInvalid,
                "card link: the region could shrink, expected a memfd sealed against it");
  const auto memory = map_memory(fd, bytes);
  if (!memory) return tl::unexpected(memory.error());
  closer.fd = -1;
  std::shared_ptr<Region> region(new Region(shape, fd, *memory, bytes));
  const RegionHeader& header = region->header();
  if (header.magic != kMagic || header.layout_version != kLayoutVersion)
    return fail(ErrorCode::kUnsupported, "card link: the region has layout {}, expected {}",
                header.layout_version, kLayoutVersion);
  const RegionShape said{header.ports, header.slots, header.input_bytes, header.output_bytes};
  if (said != shape)
    return fail(ErrorCode::kInvalid, "card link: the region's header has another shape than the greeting");
  return region;
}

Region::~Region() {
  ::munmap(memory_, bytes_);
  ::close(fd_);
}

RegionHeader& Region::header() const noexcept {
  return *std::launder(reinterpret_cast<RegionHeader*>(memory_));
}

PortBlock& Region::port(std::uint32_t port) const noexcept {
  return *std::launder(
      reinterpret_cast<PortBlock*>(memory_ + whole_pages(sizeof(RegionHeader)) + port * port_bytes(shape_)));
}

SlotRecord& Region::record(std::uint32_t port_number, std::uint32_t slot) const noexcept {
  auto* const records = reinterpret_cast<std::byte*>(&port(port_number)) + sizeof(PortBlock);
  return *std::launder(reinterpret_cast<SlotRecord*>(records + slot * sizeof(SlotRecord)));
}

std::byte* Region::slot_memory(std::uint32_t port, std::uint32_t slot) const noexcept {
  const std::size_t begin = whole_pages(sizeof(RegionHeader)) + shape_.ports * port_bytes(shape_);
  const std::size_t number = std::size_t{port} * shape_.slots + slot;
  return memory_ + begin + number * (shape_.input_bytes + shape_.output_bytes);
}

std::span<std::byte> Region::input(std::uint32_t port, std::uint32_t slot) const noexcept {
  return {slot_memory(port, slot), shape_.input_bytes};
}

std::span<std::byte> Region::output(std::uint32_t port, std::uint32_t slot) const noexcept {
  return {slot_memory(port, slot) + shape_.input_bytes, shape_.output_bytes};
}

}  // namespace kantrig::card_link
