#include "compiler/insight/model_file.hpp"

#include <system_error>

#include "base/event_files.hpp"
#include "compiler/learned/checkpoint.hpp"
#include "kan/feature_columns.hpp"

namespace kantrig::insight {

Result<AnyModel> read_model(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    auto bundle = kan::load_bundle(path);
    if (!bundle) return tl::unexpected(bundle.error());
    return AnyModel(std::move(*bundle));
  }
  auto kan = learned::read_checkpoint(path);
  if (!kan) return tl::unexpected(kan.error());
  return AnyModel(std::move(*kan));
}

Result<base::FeatureTable> read_events(const std::filesystem::path& path, const kan::Bundle& bundle,
                                       const std::optional<std::string>& label) {
  auto table = base::read_features(path, label);
  if (!table) return tl::unexpected(table.error());
  return kan::arrange_columns(std::move(*table), bundle, path.string());
}

Result<base::FeatureTable> read_events(const std::filesystem::path& path, const learned::LearnedKan& kan,
                                       const std::optional<std::string>& label) {
  kan::Bundle names;  // of the features: all that the order of columns depends on
  names.name = kan.name;
  for (const learned::Input& input : kan.inputs) names.features.push_back(input.feature);
  names.model.inputs.resize(kan.inputs.size());
  return read_events(path, names, label);
}

}  // namespace kantrig::insight
