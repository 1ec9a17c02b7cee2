// Xclbin files: the container in which a design reaches a card. Written by us for the emulated card (the
// vendor's linker writes those of real ones); what XRT reads of a file is laid down in xclbin.h of its
// development package.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "card/register_files.hpp"

namespace kantrig::card {

/// One bank of a card's memory.
struct MemoryBank {
  std::string tag;  // up to 15 characters: "DDR[0]"
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;  // a multiple of 1024
  bool used = false;        // some kernel is connected to it
};

/// One instance of kan_kernel, and the bank that its memory port is connected to.
struct ComputeUnit {
  std::string name;  // of the instance: "kan_kernel_1"
  std::uint64_t base = 0;
  std::uint32_t bank = 0;
};

struct XclbinContent {
  std::string platform;  // name of the shell, up to 63 characters
  Protocol protocol = Protocol::kHandshake;
  std::uint32_t clock_mhz = 300;
  std::vector<MemoryBank> banks;
  std::vector<ComputeUnit> units;  // 1..kUnitsMax
  std::string bitstream;
};

inline constexpr std::uint32_t kUnitsMax = 16;

/// The file. The same content gives the same bytes, its uuid among them; another content another uuid.
[[nodiscard]] std::string write_xclbin(const XclbinContent& content);

/// What a packer needs to know of a file that somebody else wrote.
struct XclbinSummary {
  std::string platform;
  std::string uuid;                // hex, without dashes
  std::vector<std::string> units;  // "kernel:instance", of IP_LAYOUT, in order of base addresses
};

/// Proves the container whole before it says anything. The error names what was expected.
[[nodiscard]] Result<XclbinSummary> summarise_xclbin(std::string_view file);

}  // namespace kantrig::card
