// Endpoint: where a ZeroMQ socket listens, taken apart. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kantrig::settings {

struct Endpoint {
  enum class Scheme : std::uint8_t { kIpc, kTcp };
  Scheme scheme = Scheme::kIpc;
  std::string place;       // path of ipc, host or interface of tcp
  std::uint16_t port = 0;  // of tcp; 0: any free one

  [[nodiscard]] std::string text() const;
  /// Where shard `shard` listens.
  [[nodiscard]] Endpoint for_shard(std::uint32_t shard) const;
};

/// "ipc://PATH" or "tcp://HOST:PORT". The error says what was expected.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace kantrig::settings
