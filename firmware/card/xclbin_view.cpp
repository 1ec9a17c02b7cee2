#include "card/xclbin_view.hpp"

#include <algorithm>

namespace kantrig::card {
namespace {

constexpr std::uint32_t kSectionsMax = 256;
constexpr std::uint32_t kEntriesMax = 4096;
constexpr std::size_t kPlatformBytes = 64;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kIpNameBytes = 64;
constexpr std::uint32_t kIpKernel = 1;

/// Little endian. Precondition: in bounds.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i > 0; --i) value = value << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

std::string text_at(std::string_view bytes, std::size_t at, std::size_t size) {
  const std::string_view field = bytes.substr(at, size);
  return std::string(field.substr(0, field.find('\0')));
}

/// The entries of a section that begins with their number: 4 bytes, then `skip` bytes.
std::optional<std::vector<std::string_view>> entries_of(std::optional<std::string_view> section,
                                                        std::size_t begin, std::size_t bytes) {
  if (!section || section->size() < begin) return std::nullopt;
  const std::uint64_t count = number_at(*section, 0, 4);
  if (count > kEntriesMax || section->size() - begin < count * bytes) return std::nullopt;
  std::vector<std::string_view> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back(section->substr(begin + i * bytes, bytes));
  return entries;
}

}  // namespace

std::optional<XclbinView> XclbinView::of(std::string_view file) {
  if (file.size() < kXclbinFixedBytes || !file.starts_with(kXclbinMagic)) return std::nullopt;
  if (number_at(file, kXclbinLengthAt, 8) != file.size()) return std::nullopt;
  const std::uint64_t count = number_at(file, kXclbinSectionCountAt, 4);
  if (count > kSectionsMax || file.size() - kXclbinFixedBytes < count * kXclbinSectionBytes)
    return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t header = kXclbinFixedBytes + i * kXclbinSectionBytes;
    const std::uint64_t offset = number_at(file, header + 24, 8);
    const std::uint64_t size = number_at(file, header + 32, 8);
    if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  }
  return XclbinView(file);
}

std::string XclbinView::platform() const {
  return text_at(file_, kXclbinPlatformAt, kPlatformBytes);
}

std::optional<std::string_view> XclbinView::section(Section kind) const {
  const std::uint64_t count = number_at(file_, kXclbinSectionCountAt, 4);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t header = kXclbinFixedBytes + i * kXclbinSectionBytes;
    if (number_at(file_, header, 4) != static_cast<std::uint32_t>(kind)) continue;
    return file_.substr(number_at(file_, header + 24, 8), number_at(file_, header + 32, 8));
  }
  return std::nullopt;
}

std::optional<std::vector<MemoryEntry>> XclbinView::memory() const {
  const auto entries = entries_of(section(Section::kMemTopology), 8, kMemoryEntryBytes);
  if (!entries) return std::nullopt;
  std::vector<MemoryEntry> banks;
  for (const std::string_view entry : *entries) {
    banks.push_back({.used = number_at(entry, 1, 1) != 0,
                     .bytes = number_at(entry, 8, 8) << 10U,
                     .base = number_at(entry, 16, 8),
                     .tag = text_at(entry, 24, kTagBytes)});
  }
  return banks;
}

std::optional<std::vector<KernelEntry>> XclbinView::kernels() const {
  const auto entries = entries_of(section(Section::kIpLayout), 8, kIpEntryBytes);
  if (!entries) return std::nullopt;
  std::vector<KernelEntry> kernels;
  for (const std::string_view entry : *entries) {
    if (number_at(entry, 0, 4) != kIpKernel) continue;
    kernels.push_back({.name = text_at(entry, 16, kIpNameBytes),
                       .base = number_at(entry, 8, 8),
                       .interrupt_id = static_cast<std::uint32_t>(number_at(entry, 4, 4) >> 1U & 0x7FU)});
  }
  std::ranges::sort(kernels, [](const KernelEntry& a, const KernelEntry& b) {
    return a.interrupt_id != b.interrupt_id ? a.interrupt_id < b.interrupt_id : a.base < b.base;
  });
  return kernels;
}

}  // namespace kantrig::card
