// make_bundle(): everything that goes with a learned model: golden vectors, reference histograms, metrics,
// report.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/specification.hpp"
#include "compiler/train/trainer.hpp"
#include "kan/bundle.hpp"

namespace kantrig::train {

/// Golden vectors of `model`: up to 256 events spread over `events`, the corners and each input's ends, 256
/// random ones.
[[nodiscard]] kan::GoldenVectors make_golden(const kan::Model& model, const Samples& events,
                                             std::uint64_t seed);

/// The bundle of a quantised training, ready for kan::write_bundle(). Fails when the model breaks a bound of
/// kan::check().
[[nodiscard]] Result<kan::Bundle> make_bundle(const Specification& specification, const Dataset& data,
                                              const Training& training,
                                              std::string_view specification_sha256);

/// The bundle of a quantised model that was not trained here, called `full_name`, <name>-<version>;
/// histograms over `data`. With `score` it is an autoencoder, whose limit for anomalies `data` sets.
[[nodiscard]] Result<kan::Bundle> bundle_of(const learned::LearnedKan& kan, const Dataset& data,
                                            std::string_view full_name,
                                            const std::optional<ScorePlan>& score = std::nullopt);

}  // namespace kantrig::train
