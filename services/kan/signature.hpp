// Ed25519 signatures over manifest.json, and thereby over the whole bundle.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kan/bundle.hpp"

namespace kantrig::kan {

/// A key pair as files of one line of hex each. The secret one can be read by its owner only.
struct KeyFiles {
  std::filesystem::path secret_key;
  std::filesystem::path public_key;
};

/// Makes a key pair; neither file may exist. Returns the public key in hex.
[[nodiscard]] Result<std::string> create_keys(const KeyFiles& files);

/// The text of manifest.sig: "ed25519 <public key> <signature>".
[[nodiscard]] Result<std::string> sign_manifest(std::string_view manifest_json,
                                                const std::filesystem::path& secret_key);

/// Signs the bundle in `folder`, which must load, and writes its manifest.sig. Returns the public key in hex.
[[nodiscard]] Result<std::string> sign_bundle(const std::filesystem::path& folder,
                                              const std::filesystem::path& secret_key);

/// Whether `signature` (manifest.sig as it stands; nullopt: absent) satisfies `policy`. A signature that is
/// there must always be right.
[[nodiscard]] Result<void> check_signature(std::string_view manifest_json,
                                           const std::optional<std::string>& signature,
                                           const SignaturePolicy& policy);

}  // namespace kantrig::kan
