#include "kan/signature.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/file.hpp"
#include "kan/manifest_json.hpp"

namespace kantrig::kan {
namespace {

using PublicKey = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using Signature = std::array<unsigned char, crypto_sign_BYTES>;

constexpr std::string_view kScheme = "ed25519 ";
constexpr std::size_t kKeyFileBytesMax = 65'536;

template <typename Bytes>
std::string to_hex(const Bytes& bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

/// Exactly the lower-case hex of `bytes`: one value has one spelling.
template <typename Bytes>
bool from_hex(std::string_view text, Bytes& bytes) {
  if (text.size() != bytes.size() * 2) return false;
  std::size_t length = 0;
  if (sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &length, nullptr) != 0)
    return false;
  return length == bytes.size() && to_hex(bytes) == text;
}

/// A secret key, wiped from memory when it goes out of scope.
struct SecretKey {
  SecretKey() = default;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey() {
    sodium_memzero(seed.data(), seed.size());
    sodium_memzero(key.data(), key.size());
  }
  /// The other keys of `seed`.
  void derive() { crypto_sign_seed_keypair(public_key.data(), key.data(), seed.data()); }

  std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> key{};
  PublicKey public_key{};
};

Result<void> read_secret(const std::filesystem::path& path, SecretKey& secret) {
  auto text = base::read_file(path, kKeyFileBytesMax);
  if (!text) return tl::unexpected(text.error());
  std::string_view line = *text;
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const bool ok = from_hex(line, secret.seed);
  sodium_memzero(text->data(), text->size());
  if (!ok) {
    return fail(ErrorCode::kInvalid, "{}: expected a secret key: {} lower-case hex digits", path.string(),
                secret.seed.size() * 2);
  }
  secret.derive();
  return {};
}

Result<void> write_new_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(ErrorCode::kIo, "{}: cannot create: {}", path.string(), std::strerror(errno));
  const ssize_t written = ::write(fd, content.data(), content.size());
  const int code = errno;
  if (::close(fd) == 0 && written == static_cast<ssize_t>(content.size())) return {};
  ::unlink(path.c_str());
  return fail(ErrorCode::kIo, "{}: cannot write: {}", path.string(), std::strerror(code));
}

/// One key a line: hex, then anything after a blank. Empty lines and lines that start with # are left out.
Result<std::vector<PublicKey>> read_public_keys(const std::filesystem::path& path) {
  const auto text = base::read_file(path, kKeyFileBytesMax);
  if (!text) return tl::unexpected(text.error());
  std::vector<PublicKey> keys;
  std::string_view rest = *text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    PublicKey key;
    if (!from_hex(line.substr(0, line.find(' ')), key)) {
      return fail(ErrorCode::kInvalid, "{} line {}: expected a public key: {} lower-case hex digits",
                  path.string(), number, key.size() * 2);
    }
    keys.push_back(key);
  }
  if (keys.empty()) return fail(ErrorCode::kInvalid, "{}: holds no public key", path.string());
  return keys;
}

/// Reads manifest.sig strictly, so that no byte of it can change unnoticed.
bool parse_signature(std::string_view text, PublicKey& key, Signature& signature) {
  const std::size_t length = kScheme.size() + key.size() * 2 + 1 + signature.size() * 2 + 1;
  if (text.size() != length || !text.starts_with(kScheme) || !text.ends_with('\n')) return false;
  text.remove_prefix(kScheme.size());
  if (!from_hex(text.substr(0, key.size() * 2), key)) return false;
  text.remove_prefix(key.size() * 2);
  return text[0] == ' ' && from_hex(text.substr(1, signature.size() * 2), signature);
}

}  // namespace

Result<std::string> create_keys(const KeyFiles& files) {
  if (sodium_init() < 0) return fail(ErrorCode::kIo, "libsodium cannot be set up");
  SecretKey secret;
  randombytes_buf(secret.seed.data(), secret.seed.size());
  secret.derive();
  const std::string public_key = to_hex(secret.public_key);
  if (auto ok = write_new_file(files.public_key, public_key + "\n", 0644); !ok)
    return tl::unexpected(ok.error());
  std::string line = to_hex(secret.seed) + "\n";
  const auto written = write_new_file(files.secret_key, line, 0600);
  sodium_memzero(line.data(), line.size());
  if (!written) {
    ::unlink(files.public_key.c_str());
    return tl::unexpected(written.error());
  }
  return public_key;
}

Result<std::string> sign_manifest(std::string_view manifest_json, const std::filesystem::path& secret_key) {
  if (sodium_init() < 0) return fail(ErrorCode::kIo, "libsodium cannot be set up");
  SecretKey secret;
  if (auto ok = read_secret(secret_key, secret); !ok) return tl::unexpected(ok.error());
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr,
                       reinterpret_cast<const unsigned char*>(manifest_json.data()), manifest_json.size(),
                       secret.key.data());
  return fmt::format("{}{} {}\n", kScheme, to_hex(secret.public_key), to_hex(signature));
}

Result<std::string> sign_bundle(const std::filesystem::path& folder,
                                const std::filesystem::path& secret_key) {
  if (const auto loaded = load_bundle(folder); !loaded) return tl::unexpected(loaded.error());
  const auto manifest = base::read_file(folder / "manifest.json", kManifestBytesMax);
  if (!manifest) return tl::unexpected(manifest.error());
  const auto signature = sign_manifest(*manifest, secret_key);
  if (!signature) return tl::unexpected(signature.error());
  if (auto ok = base::write_file_atomic(folder / "manifest.sig", *signature); !ok)
    return tl::unexpected(ok.error());
  return signature->substr(kScheme.size(), crypto_sign_PUBLICKEYBYTES * 2);
}

Result<void> check_signature(std::string_view manifest_json, const std::optional<std::string>& signature,
                             const SignaturePolicy& policy) {
  if (policy.required && policy.public_keys.empty()) {
    return fail(ErrorCode::kInvalid, "a signature is required, but no file of public keys is given");
  }
  if (!signature) {
    if (!policy.required) return {};
    return fail(ErrorCode::kCorrupt, "is missing, expected a signature by a key in {}",
                policy.public_keys.string());
  }
  PublicKey key{};
  Signature bytes{};
  if (!parse_signature(*signature, key, bytes)) {
    return fail(ErrorCode::kCorrupt,
                "is garbled, expected 'ed25519 <public key> <signature>' in lower-case hex");
  }
  if (crypto_sign_verify_detached(bytes.data(), reinterpret_cast<const unsigned char*>(manifest_json.data()),
                                  manifest_json.size(), key.data()) != 0) {
    return fail(ErrorCode::kCorrupt, "does not fit manifest.json, expected its signature by key {}",
                to_hex(key));
  }
  if (policy.public_keys.empty()) return {};
  const auto trusted = read_public_keys(policy.public_keys);
  if (!trusted) return tl::unexpected(trusted.error());
  if (std::find(trusted->begin(), trusted->end(), key) != trusted->end()) return {};
  return fail(ErrorCode::kCorrupt, "is by key {}, expected one of the {} in {}", to_hex(key), trusted->size(),
              policy.public_keys.string());
}

}  // namespace kantrig::kan
