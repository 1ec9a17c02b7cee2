#include "compiler/pack.hpp"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/file.hpp"
#include "card/registers.hpp"
#include "card/xclbin.hpp"
#include "compiler/hardware/overlay_tables.hpp"
#include "compiler/hardware/record_layout.hpp"
#include "compiler/verify/kernel_builder.hpp"
#include "compiler/verify/read_design.hpp"
#include "compiler/verify/rtl_sources.hpp"
#include "kan/card_image.hpp"

namespace kantrig::compiler {
namespace {

constexpr std::size_t kXclbinBytesMax = std::size_t{512} << 20U;
constexpr const char* kKernel = "kan_kernel";
// The emulated card's memory. Bank 0 is there and not connected: a host that does not ask which bank a
// buffer belongs into is found out.
constexpr std::uint64_t kBankBytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t kBankBase = 0x40'0000'0000;
constexpr std::uint32_t kConnectedBank = 1;
constexpr std::uint64_t kUnitBase = 0x180'0000;
constexpr std::uint64_t kUnitRange = 0x1'0000;
constexpr std::uint32_t kLanesMax = 64;

struct Xclbin {
  std::string bytes;
  std::uint32_t compute_units = 0;
};

Result<Xclbin> emulated_xclbin(const kan::Bundle& bundle, const HardwareDesign& design,
                               const PackOptions& options) {
  const std::uint32_t units = options.compute_units.value_or(1);
  if (units < 1 || units > card::kUnitsMax)
    return fail(ErrorCode::kInvalid, "--compute-units: is {}, expected 1 to {}", units, card::kUnitsMax);
  if (!std::has_single_bit(options.lanes_max) || options.lanes_max > kLanesMax)
    return fail(ErrorCode::kInvalid, "--lanes: is {}, expected a power of two up to {}", options.lanes_max,
                kLanesMax);
  const auto library = build_kernel_library(bundle, design, options.lanes_max, options.build);
  if (!library) return tl::unexpected(library.error());
  auto object = base::read_file(*library, kXclbinBytesMax);
  if (!object) return tl::unexpected(object.error());
  card::XclbinContent content{
      .platform = "kantrig_emulated", .banks = {}, .units = {}, .bitstream = std::move(*object)};
  for (std::uint32_t i = 0; i < 2; ++i) {
    content.banks.push_back({.tag = fmt::format("DDR[{}]", i),
                             .base = kBankBase + i * kBankBytes,
                             .bytes = kBankBytes,
                             .used = i == kConnectedBank});
  }
  for (std::uint32_t i = 0; i < units; ++i) {
    content.units.push_back({.name = fmt::format("{}_{}", kKernel, i + 1),
                             .base = kUnitBase + i * kUnitRange,
                             .bank = kConnectedBank});
  }
  return Xclbin{card::write_xclbin(content), units};
}

/// A file of the vendor's linker, which must hold instances of our kernel and nothing else.
Result<Xclbin> vendor_xclbin(const PackOptions& options) {
  if (options.xclbin.empty()) {
    return fail(
        ErrorCode::kInvalid,
        "--platform {}: needs --xclbin FILE, the file that v++ made for it (firmware/card/README.md); "
        "only the platform '{}' is built here",
        options.platform, kEmulatedPlatform);
  }
  auto bytes = base::read_file(options.xclbin, kXclbinBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto summary = card::summarise_xclbin(*bytes);
  if (!summary) return tl::unexpected(summary.error().within(options.xclbin.string()));
  const std::string prefix = std::string(kKernel) + ":";
  for (const std::string& unit : summary->units) {
    if (unit.starts_with(prefix)) continue;
    return fail(ErrorCode::kInvalid, "{}: holds {}, expected instances of {} only", options.xclbin.string(),
                unit, kKernel);
  }
  const auto units = static_cast<std::uint32_t>(summary->units.size());
  if (options.compute_units && *options.compute_units != units) {
    return fail(ErrorCode::kInvalid, "{}: holds {} compute units, --compute-units says {}",
                options.xclbin.string(), units, *options.compute_units);
  }
  return Xclbin{std::move(*bytes), units};
}

std::string little_endian(const std::vector<std::uint32_t>& words) {
  std::string bytes;
  bytes.reserve(4 * words.size());
  for (const std::uint32_t word : words) {
    for (std::uint32_t shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(word >> shift & 0xFFU)));
  }
  return bytes;
}

bool is_platform(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

}  // namespace

Result<void> pack(kan::Bundle& bundle, const PackOptions& options) {
  if (!is_platform(options.platform)) {
    return fail(ErrorCode::kInvalid, "--platform: is '{}', expected up to 64 letters, digits and . _ -",
                options.platform);
  }
  const bool emulated = options.platform == kEmulatedPlatform;
  if (emulated && !options.xclbin.empty())
    return fail(ErrorCode::kInvalid, "--xclbin: the file of the emulated card is built here; leave it out");
  const auto design = read_design(bundle);
  if (!design) return tl::unexpected(design.error());
  std::vector<std::uint32_t> tables;
  if (design->overlay) {
    auto block = overlay_table_block(bundle.model, *design->overlay);
    if (!block) return tl::unexpected(block.error());
    tables = std::move(*block);
  }
  auto xclbin = emulated ? emulated_xclbin(bundle, *design, options) : vendor_xclbin(options);
  if (!xclbin) return tl::unexpected(xclbin.error());
  kan::CardImage image{.platform = options.platform,
                       .kernel = kKernel,
                       .compute_units = xclbin->compute_units,
                       .interface_version = card::kInterfaceVersion,
                       .overlay = design->overlay.has_value(),
                       .hardware_digest = hardware_digest(*design),
                       .input = record_layout(design->inputs, design->input_width),
                       .output = record_layout(design->outputs, design->output_width),
                       .xclbin_sha256 = base::sha256(xclbin->bytes).hex(),
                       .bank_begin = {},
                       .table_words = static_cast<std::uint32_t>(tables.size())};
  const std::string path = "fpga/" + options.platform;
  std::erase_if(bundle.fpga_left_out, [&](const auto& file) { return file.first == path + ".xclbin"; });
  bundle.fpga_files.erase(path + ".tables");
  if (design->overlay) {
    image.bank_begin = {overlay_bank_begin(*design->overlay, TableBank::kZero),
                        overlay_bank_begin(*design->overlay, TableBank::kOne)};
    bundle.fpga_files[path + ".tables"] = little_endian(tables);
  }
  bundle.fpga_files[path + ".json"] = kan::card_image_to_json(image);
  bundle.fpga_files[path + ".xclbin"] = std::move(xclbin->bytes);
  return {};
}

}  // namespace kantrig::compiler
