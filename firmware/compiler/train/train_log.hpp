// The log of a training: CSV for scripts, a picture for people.
#pragma once

#include <span>
#include <string>

#include "compiler/train/specification.hpp"
#include "compiler/train/trainer.hpp"

namespace kantrig::train {

/// One line an epoch, with a header.
[[nodiscard]] std::string log_as_csv(std::span<const EpochRecord> epochs);
/// SVG: losses over epochs, the chosen epoch marked.
[[nodiscard]] std::string log_as_picture(const Specification& specification,
                                         std::span<const EpochRecord> epochs, std::uint32_t chosen_epoch);

}  // namespace kantrig::train
