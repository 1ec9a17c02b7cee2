// What libxrt_coreutil calls of a card's driver library, on top of Card. Everything else of that library is
// Debian's own, see CMakeLists.txt.
#include <xrt.h>
// Needs what stands above.
#include <experimental/xrt-next.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "card/emulated/hal.hpp"
#include "card/xclbin_view.hpp"

// What of XRT's own classes is called here; their headers are not installed.
namespace xrt_core {
namespace query {
enum class key_type : int;
}
namespace swemu {
std::shared_ptr<device> get_userpf_device(void* handle, unsigned index);
}
}  // namespace xrt_core
extern "C" void register_axlf(void* device,
                              const axlf* file) asm("_ZN8xrt_core6device13register_axlfEPK4axlf");

namespace kantrig::emulated {
namespace {

constexpr const char* kFolderVariable = "KANTRIG_EMULATED_CARD";
constexpr const char* kCountVariable = "KANTRIG_EMULATED_CARDS";
constexpr unsigned kCardsMax = 16;
constexpr unsigned short kClockMhz = 300;

std::filesystem::path folder() {
  const char* const value = std::getenv(kFolderVariable);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

unsigned card_count() {
  const char* const value = std::getenv(kCountVariable);
  if (value == nullptr) return 1;
  char* end = nullptr;
  const unsigned long count = std::strtoul(value, &end, 10);
  return end == value || *end != '\0' ? 1 : static_cast<unsigned>(std::min<unsigned long>(count, kCardsMax));
}

/// The card of this process with that index: one for all its openings, gone with the last.
std::shared_ptr<Card> card_at(unsigned index) {
  static std::mutex mutex;
  static std::array<std::weak_ptr<Card>, kCardsMax> cards;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Card> card = cards[index].lock();
  if (card == nullptr) {
    card = std::make_shared<Card>(folder(), index);
    cards[index] = card;
  }
  return card;
}

/// The driver library gives -1 and errno in some places and the negative errno in others; both here.
int answer(int code) {
  if (code < 0) errno = -code;
  return code;
}

unsigned probe() {
  unsigned there = 0;
  for (unsigned i = 0; i < card_count(); ++i) {
    try {
      const State state(folder(), i);
      if (!state.armed(Fault::kAbsent)) ++there;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "kantrig emulated card: %s\n", error.what());
    }
  }
  return there;
}

}  // namespace
}  // namespace kantrig::emulated

using kantrig::emulated::answer;
using kantrig::emulated::of;

// Weak in the library's part (CMakeLists.txt), where it says 0.
extern "C" std::pair<unsigned, unsigned> total_devices(const void*, bool) asm(
    "_ZNK8xrt_core5swemu6system17get_total_devicesEb");
extern "C" std::pair<unsigned, unsigned> total_devices(const void*, bool) {
  const unsigned count = kantrig::emulated::probe();
  return {count, count};
}

unsigned xclProbe() {
  return kantrig::emulated::probe();
}

xclDeviceHandle xclOpen(unsigned index, const char*, xclVerbosityLevel) {
  using namespace kantrig::emulated;
  if (index >= card_count()) return nullptr;
  try {
    auto handle = std::make_unique<Handle>();
    handle->card = card_at(index);
    handle->opening = handle->card->open();
    if (handle->opening == nullptr) {
      errno = ENODEV;
      return nullptr;
    }
    handle->device = xrt_core::swemu::get_userpf_device(handle.get(), index);
    return handle.release();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kantrig emulated card: %s\n", error.what());
    return nullptr;
  }
}

void xclClose(xclDeviceHandle handle) {
  kantrig::emulated::Handle* const closed = &of(handle);
  closed->card->close(closed->opening);
  delete closed;
}

int xclGetDeviceInfo2(xclDeviceHandle handle, xclDeviceInfo2* info) {
  if (of(handle).card->dead()) return answer(-ENODEV);
  std::memset(info, 0, sizeof *info);
  std::snprintf(info->mName, sizeof info->mName, "kantrig_emulated");
  info->mOCLFrequency[0] = kantrig::emulated::kClockMhz;
  return 0;
}

int xclLoadXclBin(xclDeviceHandle handle, const axlf* file) {
  std::uint64_t bytes = 0;
  const auto* const begin = reinterpret_cast<const char*>(file);
  std::memcpy(&bytes, begin + kantrig::card::kXclbinLengthAt, sizeof bytes);
  const int code = of(handle).card->program(std::string_view(begin, bytes));
  if (code == 0) register_axlf(of(handle).device.get(), file);
  return answer(code);
}

xclBufferHandle xclAllocBO(xclDeviceHandle handle, size_t size, int, unsigned flags) {
  const std::uint32_t buffer = of(handle).card->allocate(nullptr, size, flags);
  return buffer == 0 ? XRT_NULL_BO : buffer;
}
xclBufferHandle xclAllocUserPtrBO(xclDeviceHandle handle, void* pages, size_t size, unsigned flags) {
  const std::uint32_t buffer = pages == nullptr ? 0 : of(handle).card->allocate(pages, size, flags);
  return buffer == 0 ? XRT_NULL_BO : buffer;
}
void xclFreeBO(xclDeviceHandle handle, xclBufferHandle buffer) {
  of(handle).card->free(buffer);
}
void* xclMapBO(xclDeviceHandle handle, xclBufferHandle buffer, bool) {
  const auto found = of(handle).card->buffer(buffer);
  return found == nullptr ? nullptr : found->host;
}
int xclUnmapBO(xclDeviceHandle, xclBufferHandle, void*) {
  return 0;  // its pages go with the buffer
}
int xclGetBOProperties(xclDeviceHandle handle, xclBufferHandle buffer, xclBOProperties* properties) {
  const auto found = of(handle).card->buffer(buffer);
  if (found == nullptr) return answer(-EINVAL);
  *properties = {
      .handle = buffer, .flags = found->flags, .size = found->bytes, .paddr = found->address, .reserved = 0};
  return 0;
}
int xclSyncBO(xclDeviceHandle handle, xclBufferHandle buffer, xclBOSyncDirection direction, size_t size,
              size_t offset) {
  return answer(of(handle).card->sync(buffer, direction == XCL_BO_SYNC_BO_TO_DEVICE, size, offset));
}

int xclOpenContext(xclDeviceHandle handle, const xuid_t uuid, unsigned unit, bool shared) {
  const std::string_view wanted(reinterpret_cast<const char*>(uuid), sizeof(xuid_t));
  return answer(of(handle).card->open_context(*of(handle).opening, wanted, unit, shared));
}
int xclCloseContext(xclDeviceHandle handle, const xuid_t, unsigned unit) {
  return answer(of(handle).card->close_context(*of(handle).opening, unit));
}

int xclExecBuf(xclDeviceHandle handle, xclBufferHandle buffer) {
  return answer(of(handle).card->execute(*of(handle).opening, buffer));
}
int xclExecWait(xclDeviceHandle handle, int timeout_ms) {
  return answer(of(handle).card->wait(*of(handle).opening, timeout_ms));
}

int xclRegRead(xclDeviceHandle handle, uint32_t unit, uint32_t offset, uint32_t* value) {
  return answer(of(handle).card->read_register(unit, offset, *value));
}
int xclRegWrite(xclDeviceHandle handle, uint32_t unit, uint32_t offset, uint32_t value) {
  return answer(of(handle).card->write_register(unit, offset, value));
}

// What nothing of ours uses, and a card without those parts would refuse.
size_t xclRead(xclDeviceHandle, xclAddressSpace, uint64_t, void*, size_t) {
  return 0;
}
size_t xclWrite(xclDeviceHandle, xclAddressSpace, uint64_t, const void*, size_t) {
  return 0;
}
ssize_t xclUnmgdPread(xclDeviceHandle, unsigned, void*, size_t, uint64_t) {
  return answer(-ENOTSUP);
}
ssize_t xclUnmgdPwrite(xclDeviceHandle, unsigned, const void*, size_t, uint64_t) {
  return answer(-ENOTSUP);
}
int xclCopyBO(xclDeviceHandle, xclBufferHandle, xclBufferHandle, size_t, size_t, size_t) {
  return answer(-ENOTSUP);
}
xclBufferExportHandle xclExportBO(xclDeviceHandle, xclBufferHandle) {
  return answer(-ENOTSUP);
}
xclBufferHandle xclImportBO(xclDeviceHandle, xclBufferExportHandle, unsigned) {
  return XRT_NULL_BO;
}
int xclReClock2(xclDeviceHandle, unsigned short, const unsigned short*) {
  return answer(-ENOTSUP);
}
int xclP2pEnable(xclDeviceHandle, bool, bool) {
  return answer(-ENOTSUP);
}

// These have C++ linkage in the library.
int xclUpdateSchedulerStat(xclDeviceHandle);
int xclUpdateSchedulerStat(xclDeviceHandle) {
  return 0;
}
int xclInternalResetDevice(xclDeviceHandle handle, xclResetKind kind);
int xclInternalResetDevice(xclDeviceHandle handle, xclResetKind) {
  if (of(handle).card->dead()) return answer(-ENODEV);
  of(handle).card->reset();
  return 0;
}
int xclCmaEnable(xclDeviceHandle, bool, uint64_t);
int xclCmaEnable(xclDeviceHandle, bool, uint64_t) {
  return answer(-ENOTSUP);
}
int xclCloseExportHandle(int);
int xclCloseExportHandle(int) {
  return answer(-ENOTSUP);
}

namespace xclcpuemhal2 {
class CpuemShim {
 public:
  static CpuemShim* handleCheck(void* handle);
  static std::uint32_t deviceQuery(xrt_core::query::key_type key);
};
CpuemShim* CpuemShim::handleCheck(void* handle) {
  return static_cast<CpuemShim*>(handle);
}
std::uint32_t CpuemShim::deviceQuery(xrt_core::query::key_type) {
  return 0;
}
}  // namespace xclcpuemhal2
