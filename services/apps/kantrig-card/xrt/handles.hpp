// What stands behind the handles of this folder's types. Internal to this folder.
#pragma once

#include "apps/kantrig-card/xrt/device.hpp"
#include "apps/kantrig-card/xrt/image.hpp"
#include "apps/kantrig-card/xrt/xrt_headers.hpp"

namespace kantrig::card_host {

struct Image::Handle {
  xrt::xclbin xclbin;
};

struct Device::Handle {
  xrt::device device;
};

}  // namespace kantrig::card_host
