// Jets models small enough to be simulated under load, packaged for the emulated card.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "kan/bundle.hpp"

namespace kantrig::test {

/// The shipped model's features, classes and input stage over two hidden nodes with random tables: decisions
/// of all kinds, and a different one for most events when the seed is another.
[[nodiscard]] kan::Bundle small_jets(const kan::Bundle& shipped, const std::string& version,
                                     std::uint64_t seed);

enum class CardTarget : std::uint8_t { kFixed, kOverlay };

/// Writes the bundle with its hardware as `folder`, through kanc compile and kanc pack. All overlays have one
/// shape. Built simulations are kept in this build, so that the next test need not build them again.
[[nodiscard]] Result<void> write_card_bundle(const kan::Bundle& bundle, CardTarget target,
                                             const std::filesystem::path& folder,
                                             std::uint32_t compute_units = 1);

}  // namespace kantrig::test
