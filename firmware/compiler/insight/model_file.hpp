// A model from a path: a bundle is a folder, a checkpoint a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "base/feature_table.hpp"
#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"
#include "kan/bundle.hpp"

namespace kantrig::insight {

using AnyModel = std::variant<kan::Bundle, learned::LearnedKan>;

[[nodiscard]] Result<AnyModel> read_model(const std::filesystem::path& path);

/// Events from .npy or .csv with the model's features in its order; named columns are found by name. `label`
/// is the column of a .csv that holds the class, which is left out; nullopt: there is none.
[[nodiscard]] Result<base::FeatureTable> read_events(const std::filesystem::path& path,
                                                     const kan::Bundle& bundle,
                                                     const std::optional<std::string>& label);
[[nodiscard]] Result<base::FeatureTable> read_events(const std::filesystem::path& path,
                                                     const learned::LearnedKan& kan,
                                                     const std::optional<std::string>& label);

}  // namespace kantrig::insight
