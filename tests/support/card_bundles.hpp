// Bundles for tests of kantrig-card: packed for the emulated card and written to a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/digest.hpp"
#include "kan/bundle.hpp"
#include "kan/card_image.hpp"
#include "support/emulated_card.hpp"

namespace kantrig::test {

struct WrittenBundle {
  kan::Bundle bundle;
  std::filesystem::path folder;
  base::Digest digest;
};

/// two_layer_bundle() with `bias` more in every node of its last layer and the golden outputs of that: the
/// same shape, another model.
[[nodiscard]] kan::Bundle biased_bundle(std::int32_t bias);

/// The packed bundle as a folder `name` in `where`.
[[nodiscard]] WrittenBundle write_packed(const kan::Bundle& packed, const std::filesystem::path& where,
                                         const std::string& name);

/// The same with its image for the emulated card changed.
[[nodiscard]] kan::Bundle with_image(kan::Bundle packed, const std::function<void(kan::CardImage&)>& change);

}  // namespace kantrig::test
