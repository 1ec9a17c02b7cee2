// ListenAddress: where a server listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kantrig::telemetry {

struct ListenAddress {
  std::string host;        // an IPv4 or IPv6 address
  std::uint16_t port = 0;  // 0: any free one

  [[nodiscard]] std::string text() const;  // "127.0.0.1:9464", "[::1]:9464"
};

/// "ADDRESS:PORT", "[IPv6]:PORT" or "localhost:PORT". Looks nothing up.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace kantrig::telemetry
