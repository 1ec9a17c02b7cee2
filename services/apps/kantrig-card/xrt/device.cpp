#include "apps/kantrig-card/xrt/device.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "apps/kantrig-card/xrt/guard.hpp"
#include "apps/kantrig-card/xrt/handles.hpp"

namespace kantrig::card_host {
namespace {

constexpr unsigned kDevicesMax = 64;

std::optional<unsigned> index_of(const std::string& which) {
  unsigned index = 0;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), index);
  if (error != std::errc{} || end != which.data() + which.size()) return std::nullopt;
  return index;
}

DeviceName name_of(const xrt::device& device, const std::string& otherwise) {
  DeviceName name{otherwise, "unknown"};
  if (auto text = guard("name", [&] { return device.get_info<xrt::info::device::name>(); }))
    name.name = *text;
  auto address = guard("address", [&] { return device.get_info<xrt::info::device::bdf>(); });
  if (address && !address->empty()) name.address = *address;
  return name;
}

struct Opened {
  xrt::device device;
  DeviceName name;
};

DeviceResult<Opened> open_index(unsigned index) {
  const std::string which = fmt::format("index {}", index);
  auto device = guard(fmt::format("card {}", which), [&] { return xrt::device(index); });
  if (!device) return tl::unexpected<Fault>(device.error());
  return Opened{*device, name_of(*device, which)};
}

/// XRT finds addresses itself with a real card; where it does not, one device after the other is asked.
DeviceResult<Opened> open_address(const std::string& address) {
  auto device = guard(fmt::format("card {}", address), [&] { return xrt::device(address); });
  if (device) return Opened{*device, name_of(*device, address)};
  if (device.error().kind != FaultKind::kRefused && device.error().kind != FaultKind::kLost)
    return tl::unexpected<Fault>(device.error());
  std::string others;
  for (unsigned index = 0; index < kDevicesMax; ++index) {
    auto opened = open_index(index);
    if (!opened) break;
    if (opened->name.address == address) return opened;
    others += (others.empty() ? "" : ", ") + opened->name.address;
  }
  return fault(FaultKind::kLost, "card {}: not there: expected one of {}", address,
               others.empty() ? "those that the driver shows, which are none" : others);
}

}  // namespace

DeviceResult<Device> Device::open(const std::string& which) {
  const auto index = index_of(which);
  auto opened = index ? open_index(*index) : open_address(which);
  if (!opened) return tl::unexpected<Fault>(opened.error());
  return Device(std::make_shared<Handle>(Handle{std::move(opened->device)}), std::move(opened->name));
}

DeviceResult<std::vector<DeviceName>> Device::list() {
  std::vector<DeviceName> names;
  for (unsigned index = 0; index < kDevicesMax; ++index) {
    auto opened = open_index(index);
    if (opened) {
      names.push_back(std::move(opened->name));
    } else if (opened.error().kind == FaultKind::kNotSetUp) {
      return tl::unexpected<Fault>(opened.error());
    } else {
      break;  // XRT numbers them without gaps
    }
  }
  return names;
}

DeviceResult<void> Device::load(const Image& image) {
  return guard("loading the xclbin", [&] { (void)handle_->device.load_xclbin(image.handle().xclbin); });
}

Device::SensorTexts Device::sensors() const {
  SensorTexts texts;
  const auto& device = handle_->device;
  if (auto text = guard("thermal", [&] { return device.get_info<xrt::info::device::thermal>(); }))
    texts.thermal = std::move(*text);
  if (auto text = guard("electrical", [&] { return device.get_info<xrt::info::device::electrical>(); }))
    texts.electrical = std::move(*text);
  return texts;
}

}  // namespace kantrig::card_host
