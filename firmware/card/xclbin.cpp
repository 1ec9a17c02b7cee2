#include "card/xclbin.hpp"

#include <algorithm>
#include <utility>

#include "base/digest.hpp"
#include "card/registers.hpp"
#include "card/xclbin_view.hpp"

namespace kantrig::card {
namespace {

constexpr std::size_t kAlignment = 8;
constexpr std::uint8_t kMemDdr4 = 1;
constexpr std::uint8_t kClockData = 1;
constexpr std::uint8_t kClockKernel = 2;
constexpr std::uint32_t kIpKernel = 1;
constexpr std::uint32_t kInterruptEnable = 1;
constexpr std::uint32_t kControlShift = 8;  // 0 ap_ctrl_hs, 1 ap_ctrl_chain

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}
void put_text(std::string& out, std::string_view text, std::size_t bytes) {
  const std::size_t size = std::min(text.size(), bytes - 1);
  out += text.substr(0, size);
  out.append(bytes - size, '\0');
}
void overwrite(std::string& out, std::size_t at, std::uint64_t value, std::size_t bytes) {
  std::string text;
  put(text, value, bytes);
  out.replace(at, bytes, text);
}

std::string memory_section(const XclbinContent& content) {
  std::string out;
  put(out, content.banks.size(), 8);
  for (const MemoryBank& bank : content.banks) {
    put(out, kMemDdr4, 1);
    put(out, bank.used ? 1 : 0, 7);
    put(out, bank.bytes >> 10U, 8);
    put(out, bank.base, 8);
    put_text(out, bank.tag, 16);
  }
  return out;
}

std::string ip_section(const XclbinContent& content) {
  const std::uint32_t protocol = content.protocol == Protocol::kChain ? 1 : 0;
  std::string out;
  put(out, content.units.size(), 8);
  for (std::size_t i = 0; i < content.units.size(); ++i) {
    put(out, kIpKernel, 4);
    put(out, kInterruptEnable | i << 1U | protocol << kControlShift, 4);
    put(out, content.units[i].base, 8);
    put_text(out, "kan_kernel:" + content.units[i].name, 64);
  }
  return out;
}

/// Which bank each argument in memory of each unit lies in.
std::string connectivity_section(const XclbinContent& content) {
  std::string entries;
  std::uint32_t count = 0;
  for (std::size_t unit = 0; unit < content.units.size(); ++unit) {
    for (std::size_t id = 0; id < kArguments.size(); ++id) {
      if (!kArguments[id].in_memory) continue;
      put(entries, id, 4);
      put(entries, unit, 4);
      put(entries, content.units[unit].bank, 4);
      ++count;
    }
  }
  std::string out;
  put(out, count, 4);
  return out + entries;
}

std::string clock_section(const XclbinContent& content) {
  std::string out;
  put(out, 2, 2);
  for (const auto& [type, name] :
       {std::pair{kClockData, "DATA_CLK"}, std::pair{kClockKernel, "KERNEL_CLK"}}) {
    put(out, content.clock_mhz, 2);
    put(out, type, 6);
    put_text(out, name, 128);
  }
  return out;
}

std::string metadata_section(const XclbinContent& content) {
  std::vector<Instance> instances;
  for (const ComputeUnit& unit : content.units)
    instances.push_back({.name = unit.name, .base = unit.base, .clock_mhz = content.clock_mhz});
  return embedded_metadata(content.protocol, instances);
}

/// The fixed part, without the length and the uuid.
std::string fixed_part(const XclbinContent& content, std::size_t sections) {
  std::string out{kXclbinMagic};
  put(out, 0xFFFF'FFFF, 4);  // no signature
  out.append(28, '\xFF');
  out.append(256, '\0');  // key block
  put(out, 1, 8);         // unique id
  put(out, 0, 8);         // length
  put(out, 0, 8);         // time stamp: none, for the same bytes every time
  put(out, 0, 8);         // of the feature ROM
  put(out, 0, 2);         // patch,
  put(out, 2, 1);         // major and
  put(out, 1, 1);         // minor version
  put(out, 0, 4);         // mode: flat; no action mask
  out.append(16, '\0');   // of the feature ROM
  put_text(out, content.platform, 64);
  out.append(16, '\0');  // uuid
  out.append(16, '\0');  // debug file
  put(out, sections, 8);
  return out;
}

}  // namespace

std::string write_xclbin(const XclbinContent& content) {
  const std::vector<std::pair<Section, std::string>> sections{
      {Section::kBitstream, content.bitstream},
      {Section::kEmbeddedMetadata, metadata_section(content)},
      {Section::kMemTopology, memory_section(content)},
      {Section::kConnectivity, connectivity_section(content)},
      {Section::kIpLayout, ip_section(content)},
      {Section::kClockFreqTopology, clock_section(content)},
      {Section::kBuildMetadata, R"({"xclbin":{"generated_by":{"name":"kanc","version":"2022.1"}}})"},
  };
  std::string out = fixed_part(content, sections.size());
  std::size_t end = out.size() + sections.size() * kXclbinSectionBytes;
  std::string payload;
  for (const auto& [kind, bytes] : sections) {
    const std::size_t padding = (kAlignment - end % kAlignment) % kAlignment;
    payload.append(padding, '\0');
    payload += bytes;
    put(out, static_cast<std::uint32_t>(kind), 4);
    out.append(20, '\0');  // its name, and padding
    put(out, end + padding, 8);
    put(out, bytes.size(), 8);
    end += padding + bytes.size();
  }
  out += payload;
  overwrite(out, kXclbinLengthAt, out.size(), 8);
  const base::Digest digest = base::sha256(out);
  for (std::size_t i = 0; i < kXclbinUuidBytes; ++i)
    out[kXclbinUuidAt + i] = static_cast<char>(digest.bytes[i]);
  return out;
}

Result<XclbinSummary> summarise_xclbin(std::string_view file) {
  const auto view = XclbinView::of(file);
  if (!view) {
    return fail(ErrorCode::kCorrupt,
                "is no whole xclbin, expected 'xclbin2', its length and all its sections");
  }
  const auto kernels = view->kernels();
  if (!kernels || kernels->empty())
    return fail(ErrorCode::kCorrupt, "has no section IP_LAYOUT with a kernel, expected one");
  XclbinSummary summary{.platform = view->platform(), .uuid = {}, .units = {}};
  for (const char byte : view->uuid())
    summary.uuid += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  for (const KernelEntry& kernel : *kernels) summary.units.push_back(kernel.name);
  return summary;
}

}  // namespace kantrig::card
