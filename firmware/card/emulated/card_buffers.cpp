// Card: buffers, commands and registers.
#include <ert.h>
#include <sys/mman.h>
#include <xrt_mem.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "card/emulated/card.hpp"

namespace kantrig::emulated {
namespace {

constexpr std::uint32_t kBankMask = 0xFFFF;
constexpr std::uint64_t kBufferBytesMax = std::uint64_t{4} << 30U;
constexpr std::size_t kBuffersMax = 65'536;
constexpr std::uint32_t kRegisterBytes = 0x1000;

std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kMemoryGranule - 1) / kMemoryGranule * kMemoryGranule;
}

}  // namespace

Buffer::~Buffer() {
  if (own_pages) ::munmap(host, whole_pages(bytes));
  if (memory != nullptr) memory->release(address);
}

std::uint32_t Card::allocate(void* pages, std::uint64_t bytes, std::uint32_t flags) {
  if (dead() || bytes == 0 || bytes > kBufferBytesMax) return 0;
  auto buffer = std::make_shared<Buffer>();
  buffer->bytes = bytes;
  buffer->flags = flags;
  buffer->host = static_cast<std::byte*>(pages);
  if (pages == nullptr) {
    void* const own =
        ::mmap(nullptr, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own == MAP_FAILED) return 0;
    buffer->host = static_cast<std::byte*>(own);
    buffer->own_pages = true;
  }
  const std::lock_guard lock(mutex_);
  if (buffers_.size() == kBuffersMax) return 0;
  if ((flags & XCL_BO_FLAGS_EXECBUF) == 0) {
    if (memory_ == nullptr) return 0;
    const auto address = memory_->allocate(flags & kBankMask, bytes);
    if (!address) return 0;
    buffer->address = *address;
    buffer->memory = memory_;
  }
  while (next_handle_ == 0 || buffers_.contains(next_handle_)) ++next_handle_;
  const std::uint32_t handle = next_handle_++;
  buffers_.emplace(handle, std::move(buffer));
  return handle;
}

void Card::free(std::uint32_t handle) {
  const std::lock_guard lock(mutex_);
  buffers_.erase(handle);  // a command that still runs keeps its own
}

std::shared_ptr<Buffer> Card::buffer(std::uint32_t handle) const {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(handle);
  return found == buffers_.end() ? nullptr : found->second;
}

int Card::sync(std::uint32_t handle, bool to_card, std::uint64_t bytes, std::uint64_t offset) const {
  if (dead()) return -EIO;
  const auto buffer = this->buffer(handle);
  if (buffer == nullptr || buffer->memory == nullptr) return -EINVAL;
  if (offset > buffer->bytes || bytes > buffer->bytes - offset) return -EINVAL;
  if (state_.strikes(Fault::kIoError)) return -EIO;
  std::byte* const card = buffer->memory->at(buffer->address + offset, bytes);
  if (card == nullptr) return -EFAULT;
  if (to_card) {
    std::memcpy(card, buffer->host + offset, bytes);
  } else {
    std::memcpy(buffer->host + offset, card, bytes);
  }
  return 0;
}

/// The unit of `mask` that has the least to do.
ComputeUnit* Card::unit_for(const Programmed& programmed, std::uint64_t mask) const {
  ComputeUnit* best = nullptr;
  std::size_t least = 0;
  for (; mask != 0; mask &= mask - 1) {
    const auto index = static_cast<std::size_t>(std::countr_zero(mask));
    if (index >= programmed.units.size()) return nullptr;
    ComputeUnit* const unit = programmed.units[index].get();
    if (programmed.units.size() == 1) return unit;
    const std::size_t load = unit->load();
    if (best == nullptr || load < least) {
      best = unit;
      least = load;
    }
  }
  return best;
}

int Card::execute(Opening& opening, std::uint32_t handle) {
  if (dead()) return -ENODEV;
  const auto buffer = this->buffer(handle);
  if (buffer == nullptr || (buffer->flags & XCL_BO_FLAGS_EXECBUF) == 0 || buffer->bytes < 8) return -EINVAL;
  auto* const words = reinterpret_cast<std::uint32_t*>(buffer->host);
  const std::uint32_t header = words[0];
  const std::uint32_t extra_masks = header >> 10U & 0x3U;
  const std::uint32_t count = header >> 12U & 0x7FFU;
  const std::uint32_t opcode = header >> 23U & 0x1FU;
  if (opcode != ERT_START_CU) return -EINVAL;
  if (count < 1 + extra_masks || (std::uint64_t{count} + 1) * 4 > buffer->bytes) return -EINVAL;
  std::uint64_t mask = words[1];
  if (extra_masks > 0) mask |= std::uint64_t{words[2]} << 32U;
  const std::uint32_t registers = count - 1 - extra_masks;
  if (registers * 4 > kRegisterBytes) return -EINVAL;
  const auto programmed = this->programmed();
  if (programmed == nullptr) return -EINVAL;
  ComputeUnit* const unit = unit_for(*programmed, mask);
  if (unit == nullptr) return -EINVAL;
  Command command{.buffer = buffer,
                  .header = words,
                  .registers = words + 2 + extra_masks,
                  .register_count = registers,
                  .completions = opening.completions};
  if (state_.words().instant.load() != 0 && !state_.any_fault()) {
    command.set_state(ERT_CMD_STATE_COMPLETED);
    state_.words().runs.fetch_add(1);
    opening.completions->add();
    return 0;
  }
  command.set_state(ERT_CMD_STATE_QUEUED);
  unit->submit(std::move(command));
  return 0;
}

int Card::wait(Opening& opening, int ms) {
  // On a card that is lost nothing completes. An error would make XRT 2.13 ask again at once, for ever.
  return opening.completions->wait(ms) ? 1 : 0;
}

int Card::read_register(unsigned unit, std::uint32_t offset, std::uint32_t& value) const {
  value = 0xFFFF'FFFF;  // what a bus without a card gives
  if (dead()) return -ENODEV;
  const auto programmed = this->programmed();
  if (programmed == nullptr || unit >= programmed->units.size()) return -EINVAL;
  if (offset % 4 != 0 || offset >= kRegisterBytes) return -EINVAL;
  value = programmed->units[unit]->read(offset);
  return 0;
}

int Card::write_register(unsigned unit, std::uint32_t offset, std::uint32_t value) const {
  if (dead()) return -ENODEV;
  const auto programmed = this->programmed();
  if (programmed == nullptr || unit >= programmed->units.size()) return -EINVAL;
  if (offset % 4 != 0 || offset >= kRegisterBytes) return -EINVAL;
  programmed->units[unit]->write(offset, value);
  return 0;
}

int Card::notify(unsigned unit, int event_fd) const {
  const auto programmed = this->programmed();
  if (programmed == nullptr || unit >= programmed->units.size()) return -EINVAL;
  programmed->units[unit]->notify(event_fd);
  return 0;
}

}  // namespace kantrig::emulated
