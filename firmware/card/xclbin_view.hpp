// The sections of an xclbin file in memory, in bounds. Plain C++ without our base library: the emulated
// card's shim is built of it too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kantrig::card {

// Offsets and sizes of xclbin.h (axlf), little endian.
inline constexpr std::string_view kXclbinMagic{"xclbin2\0", 8};
inline constexpr std::size_t kXclbinFixedBytes = 456;
inline constexpr std::size_t kXclbinSectionBytes = 40;
inline constexpr std::size_t kXclbinLengthAt = 304;
inline constexpr std::size_t kXclbinPlatformAt = 352;
inline constexpr std::size_t kXclbinUuidAt = 416;
inline constexpr std::size_t kXclbinUuidBytes = 16;
inline constexpr std::size_t kXclbinSectionCountAt = 448;

enum class Section : std::uint32_t {
  kBitstream = 0,
  kEmbeddedMetadata = 2,
  kMemTopology = 6,
  kConnectivity = 7,
  kIpLayout = 8,
  kClockFreqTopology = 11,
  kBuildMetadata = 14,
};

inline constexpr std::size_t kMemoryEntryBytes = 40;
inline constexpr std::size_t kIpEntryBytes = 80;

struct MemoryEntry {
  bool used = false;
  std::uint64_t bytes = 0;
  std::uint64_t base = 0;
  std::string tag;
};
struct KernelEntry {
  std::string name;  // "kernel:instance"
  std::uint64_t base = 0;
  std::uint32_t interrupt_id = 0;
};

/// A file whose length, section table and section bounds were found right. Views the bytes that it was made
/// of.
class XclbinView {
 public:
  /// nullopt when `file` is no whole xclbin.
  [[nodiscard]] static std::optional<XclbinView> of(std::string_view file);

  [[nodiscard]] std::string_view uuid() const { return file_.substr(kXclbinUuidAt, kXclbinUuidBytes); }
  [[nodiscard]] std::string platform() const;
  /// The first section of this kind; nullopt when there is none.
  [[nodiscard]] std::optional<std::string_view> section(Section kind) const;
  /// nullopt when the section is missing or shorter than it says.
  [[nodiscard]] std::optional<std::vector<MemoryEntry>> memory() const;
  /// The kernels, in XRT's order: by interrupt id, or by base address when all ids are 0. nullopt as above.
  [[nodiscard]] std::optional<std::vector<KernelEntry>> kernels() const;

 private:
  explicit XclbinView(std::string_view file) : file_(file) {}
  std::string_view file_;
};

}  // namespace kantrig::card
