// Device: a card that this process has open.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/kantrig-card/xrt/fault.hpp"
#include "apps/kantrig-card/xrt/image.hpp"

namespace kantrig::card_host {

struct DeviceName {
  std::string address;  // PCI: 0000:03:00.1; "index 0" where XRT tells none
  std::string name;     // of the shell: xilinx_u50_gen3x16_xdma_201920_3
};

/// Threading: one thread at a time; none of its calls is for the data path.
class Device {
 public:
  /// `which` is a PCI address or an index.
  [[nodiscard]] static DeviceResult<Device> open(const std::string& which);
  /// Every device that can be opened.
  [[nodiscard]] static DeviceResult<std::vector<DeviceName>> list();

  [[nodiscard]] const DeviceName& name() const noexcept { return name_; }
  /// Loads the xclbin. Precondition: no Fabric of this device is left. After a failure nothing is loaded.
  [[nodiscard]] DeviceResult<void> load(const Image& image);
  /// JSON texts as XRT gives them, temperature and power; empty where the shell offers none.
  struct SensorTexts {
    std::string thermal;
    std::string electrical;
  };
  /// Not while an xclbin loads.
  [[nodiscard]] SensorTexts sensors() const;

  struct Handle;
  [[nodiscard]] const Handle& handle() const noexcept { return *handle_; }

 private:
  Device(std::shared_ptr<Handle> handle, DeviceName name)
      : handle_(std::move(handle)), name_(std::move(name)) {}
  std::shared_ptr<Handle> handle_;
  DeviceName name_;
};

}  // namespace kantrig::card_host
