#include "settings/endpoint.hpp"

#include <sys/un.h>

#include <charconv>

#include <fmt/format.h>

#include "base/assert.hpp"

namespace kantrig::settings {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kExpected = "expected ipc://PATH or tcp://HOST:PORT (port \"*\": any free one)";

Result<Endpoint> parse_tcp(std::string_view text) {
  const std::string_view place = text.substr(kTcp.size());
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(ErrorCode::kInvalid, "\"{}\": {}", text, kExpected);
  const std::string_view digits = place.substr(colon + 1);
  Endpoint endpoint{Endpoint::Scheme::kTcp, std::string(place.substr(0, colon)), 0};
  if (digits == "*") return endpoint;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return fail(ErrorCode::kInvalid, "\"{}\": port \"{}\" is not a number from 1 to 65535: {}", text, digits,
                kExpected);
  }
  return endpoint;
}

}  // namespace

std::string Endpoint::text() const {
  if (scheme == Scheme::kIpc) return fmt::format("{}{}", kIpc, place);
  return port == 0 ? fmt::format("{}{}:*", kTcp, place) : fmt::format("{}{}:{}", kTcp, place, port);
}

Endpoint Endpoint::for_shard(std::uint32_t shard) const {
  Endpoint derived = *this;
  if (shard == 0) return derived;
  if (scheme == Scheme::kIpc) {
    derived.place += fmt::format("-{}", shard);
  } else if (port != 0) {
    KANTRIG_ASSERT(port + shard <= UINT16_MAX);
    derived.port = static_cast<std::uint16_t>(port + shard);
  }
  return derived;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with(kTcp)) return parse_tcp(text);
  if (!text.starts_with(kIpc)) return fail(ErrorCode::kInvalid, "\"{}\": {}", text, kExpected);
  const std::string_view path = text.substr(kIpc.size());
  constexpr std::size_t kSuffixBytes = 3;  // "-63"
  constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1 - kSuffixBytes;
  if (path.empty()) return fail(ErrorCode::kInvalid, "\"{}\": {}", text, kExpected);
  if (path.size() > kPathBytesMax) {
    return fail(
        ErrorCode::kInvalid,
        "\"{}\": the path has {} bytes, expected at most {} (a Unix socket's limit, less a shard's suffix)",
        text, path.size(), kPathBytesMax);
  }
  return Endpoint{Endpoint::Scheme::kIpc, std::string(path), 0};
}

}  // namespace kantrig::settings
