// What XRT's handle of an open device points to.
#pragma once

#include <memory>

#include "card/emulated/card.hpp"

namespace xrt_core {
class device;  // of libxrt_coreutil; its header is not installed
}

namespace kantrig::emulated {

struct Handle {
  std::shared_ptr<Card> card;
  Opening* opening = nullptr;
  std::shared_ptr<xrt_core::device> device;
};

[[nodiscard]] inline Handle& of(void* handle) {
  return *static_cast<Handle*>(handle);
}

}  // namespace kantrig::emulated
