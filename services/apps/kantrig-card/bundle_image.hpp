// CardBundle: a bundle together with its image for one platform.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/card_image.hpp"

namespace kantrig::card_host {

/// Immutable. The xclbin stays on the disk: it is large and only wanted when it is loaded.
struct CardBundle {
  kan::Bundle bundle;
  kan::CardImage image;
  std::vector<std::uint32_t> tables;  // of an overlay
  base::Digest tables_digest;
  std::filesystem::path xclbin;
};

/// Reads and proves the bundle, and checks its image: there is one for `platform`, its records fit the model,
/// its tables have the length it says. The error names bundle, file and what was expected.
[[nodiscard]] Result<std::shared_ptr<const CardBundle>> load_card_bundle(const std::filesystem::path& folder,
                                                                         const std::string& platform);
/// The xclbin's bytes, held to the digest that the image names.
[[nodiscard]] Result<std::string> read_xclbin(const CardBundle& bundle);

/// Bundles that were loaded lately, so that going back to one costs no reading.
///
/// Threading: one thread.
class BundleShelf {
 public:
  static constexpr std::size_t kBundlesMax = 4;
  explicit BundleShelf(std::string platform) : platform_(std::move(platform)) {}
  /// The bundle in `folder`, whose digest must be `digest`.
  [[nodiscard]] Result<std::shared_ptr<const CardBundle>> get(const std::filesystem::path& folder,
                                                              const base::Digest& digest);

 private:
  std::string platform_;
  std::vector<std::shared_ptr<const CardBundle>> bundles_;  // the latest last
};

}  // namespace kantrig::card_host
