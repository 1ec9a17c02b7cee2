#include "apps/kantrig-card/xrt/image.hpp"

#include <algorithm>

#include "apps/kantrig-card/xrt/guard.hpp"
#include "apps/kantrig-card/xrt/handles.hpp"
#include "apps/kantrig-card/xrt/platform.hpp"
#include "card/registers.hpp"
#include "card/xclbin_view.hpp"

namespace kantrig::card_host {
namespace {

ImageFacts::Kernel facts_of(const xrt::xclbin::kernel& kernel) {
  ImageFacts::Kernel facts;
  facts.name = kernel.get_name();
  for (const auto& argument : kernel.get_args())
    facts.arguments.push_back({argument.get_name(), argument.get_index(), argument.get_offset()});
  for (const auto& unit : kernel.get_cus()) {
    const auto control = unit.get_control_type();
    facts.handshake =
        control == xrt::xclbin::ip::control_type::hs || control == xrt::xclbin::ip::control_type::chain;
    facts.compute_units.push_back(unit.get_name());
  }
  return facts;
}

ImageFacts facts_of(const xrt::xclbin& xclbin) {
  ImageFacts facts;
  facts.uuid = xclbin.get_uuid().to_string();
  facts.platform = xclbin.get_xsa_name();
  for (const auto& kernel : xclbin.get_kernels()) facts.kernels.push_back(facts_of(kernel));
  return facts;
}

Result<void> check_arguments(const ImageFacts::Kernel& kernel) {
  if (kernel.arguments.size() != card::kArguments.size())
    return fail(ErrorCode::kInvalid, "xclbin: kernel {} has {} arguments, expected {}", kernel.name,
                kernel.arguments.size(), card::kArguments.size());
  for (std::size_t i = 0; i < card::kArguments.size(); ++i) {
    const std::string_view name = card::kArguments[i].name;
    const auto entry = std::ranges::find(card::kRegisters, name, &card::Register::name);
    const ImageFacts::Argument& got = kernel.arguments[i];
    if (got.name != name || got.index != i || got.offset != entry->offset)
      return fail(
          ErrorCode::kInvalid,
          "xclbin: argument {} of kernel {} is '{}' at {:#x}, expected '{}' at {:#x}: it was built for "
          "another version of the register map",
          got.index, kernel.name, got.name, got.offset, name, entry->offset);
  }
  return {};
}

}  // namespace

DeviceResult<Image> Image::parse(const std::string& bytes) {
  // XRT believes the offsets and counts in a file.
  const auto view = card::XclbinView::of(bytes);
  if (!view || !view->memory() || !view->kernels() || !view->section(card::Section::kEmbeddedMetadata))
    return fault(
        FaultKind::kRefused,
        "xclbin: {} bytes that are no whole xclbin: expected sections for memory, kernels and metadata",
        bytes.size());
  auto handle = guard("xclbin", [&] {
    return std::make_shared<Handle>(Handle{xrt::xclbin(std::vector<char>(bytes.begin(), bytes.end()))});
  });
  if (!handle) return tl::unexpected<Fault>(handle.error());
  auto facts =
      guard("xclbin", [&] { return std::make_shared<const ImageFacts>(facts_of((*handle)->xclbin)); });
  if (!facts) return tl::unexpected<Fault>(facts.error());
  return Image(std::move(*handle), std::move(*facts));
}

Result<void> check_image(const ImageFacts& facts, const kan::CardImage& image) {
  if (image.interface_version != card::kInterfaceVersion)
    return fail(
        ErrorCode::kUnsupported,
        "image of the card: interface version {}, expected {}: pack the bundle with this version's kanc",
        image.interface_version, card::kInterfaceVersion);
  if (!facts.platform.empty() && !same_platform(facts.platform, image.platform))
    return fail(ErrorCode::kInvalid, "xclbin: built for platform {}, expected {}", facts.platform,
                image.platform);
  const auto kernel = std::ranges::find(facts.kernels, image.kernel, &ImageFacts::Kernel::name);
  if (kernel == facts.kernels.end())
    return fail(ErrorCode::kInvalid, "xclbin: no kernel '{}' among its {}", image.kernel,
                facts.kernels.size());
  if (auto ok = check_arguments(*kernel); !ok) return ok;
  if (!kernel->handshake)
    return fail(ErrorCode::kUnsupported, "xclbin: kernel {} answers to neither ap_ctrl_hs nor ap_ctrl_chain",
                image.kernel);
  if (kernel->compute_units.size() != image.compute_units || image.compute_units == 0)
    return fail(ErrorCode::kInvalid, "xclbin: {} compute units of {}, expected {}",
                kernel->compute_units.size(), image.kernel, image.compute_units);
  return {};
}

}  // namespace kantrig::card_host
