// Who, if anybody, serves an ipc:// endpoint. libzmq itself takes a path away from whoever serves it.
// Internal to wire.
#pragma once

#include <cstdint>
#include <string_view>

namespace kantrig::wire {

enum class IpcState : std::uint8_t {
  kNotIpc,  // another transport, or an abstract or wildcard address
  kFree,    // nothing there, or a socket that nobody serves
  kServed,  // somebody accepts connections
};

[[nodiscard]] IpcState ipc_state(std::string_view endpoint) noexcept;

}  // namespace kantrig::wire
