#include "base/digest.hpp"

#include <sodium.h>

namespace kantrig::base {

std::string Digest::hex() const {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

Digest sha256(std::span<const std::byte> data) noexcept {
  Digest digest;
  crypto_hash_sha256(digest.bytes.data(), reinterpret_cast<const unsigned char*>(data.data()), data.size());
  return digest;
}

Digest sha256(std::string_view text) noexcept {
  return sha256(std::as_bytes(std::span(text)));
}

}  // namespace kantrig::base
