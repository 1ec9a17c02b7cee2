#include "telemetry/listen_address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace kantrig::telemetry {
namespace {

constexpr std::string_view kExpected = "expected ADDRESS:PORT, as 127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464";

bool is_address(const std::string& host, int family) {
  unsigned char binary[sizeof(in6_addr)];
  return ::inet_pton(family, host.c_str(), binary) == 1;
}

}  // namespace

std::string ListenAddress::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(ErrorCode::kInvalid, "\"{}\": {}", text, kExpected);
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress address{std::string(text.substr(0, colon)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return fail(ErrorCode::kInvalid, "\"{}\": port \"{}\" is not a number from 0 to 65535: {}", text, digits,
                kExpected);
  }
  if (address.host == "localhost") address.host = "127.0.0.1";
  const bool bracketed = address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  if (!is_address(address.host, bracketed ? AF_INET6 : AF_INET)) {
    return fail(ErrorCode::kInvalid, "\"{}\": \"{}\" is not an address: {}", text, address.host, kExpected);
  }
  return address;
}

}  // namespace kantrig::telemetry
