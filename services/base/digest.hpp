// SHA-256, the digest that names bundles, menus and files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kantrig::base {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend bool operator==(const Digest&, const Digest&) = default;
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string short_hex() const { return hex().substr(0, 12); }
};

[[nodiscard]] Digest sha256(std::span<const std::byte> data) noexcept;
[[nodiscard]] Digest sha256(std::string_view text) noexcept;

}  // namespace kantrig::base
