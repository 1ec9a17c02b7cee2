// guard(): the one place where XRT's exceptions end. Internal to this folder.
#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "apps/kantrig-card/xrt/fault.hpp"

namespace kantrig::card_host {

/// The exception that is being handled, as a fault. Precondition: called from a catch block.
[[nodiscard]] Fault current_fault(std::string_view doing) noexcept;

/// Calls `call`; whatever it throws becomes a fault that begins with `doing`.
template <typename Call>
[[nodiscard]] auto guard(std::string_view doing, Call&& call) noexcept
    -> DeviceResult<std::invoke_result_t<Call>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
      std::forward<Call>(call)();
      return {};
    } else {
      return std::forward<Call>(call)();
    }
  } catch (...) {
    return tl::unexpected<Fault>(current_fault(doing));
  }
}

}  // namespace kantrig::card_host
