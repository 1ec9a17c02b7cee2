#include "control/model_registry.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <set>
#include <span>
#include <system_error>

namespace kantrig::control {
namespace {

constexpr std::uint32_t kWarmUpEvents = 256;

/// A name is one part of a path and nothing else: it arrives over a socket.
bool is_bundle_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 128 && name.front() != '.' && std::ranges::all_of(name, allowed);
}

/// One pass over tables and code before the first event needs them. All codes 0 is valid for every model.
void warm_up(const backend::PreparedModel& model) {
  const auto workspace = model.make_workspace(kWarmUpEvents);
  const std::vector<std::byte> codes(std::size_t{kWarmUpEvents} * model.evaluator().model().input_count() *
                                     2);
  workspace->evaluate({wire::Encoding::kCode16, codes, kWarmUpEvents}, {});
}

std::set<std::string> bundle_folders(const std::filesystem::path& repository) {
  std::set<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(repository, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (names.size() == ModelRegistry::kBundlesListedMax) break;
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (is_bundle_name(name) && std::filesystem::exists(entry->path() / "manifest.json", ignored)) {
      names.insert(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::string_view name_of(ModelState state) noexcept {
  switch (state) {
    case ModelState::kStaged:
      return "staged";
    case ModelState::kVerified:
      return "verified";
    case ModelState::kShadow:
      return "shadow";
    case ModelState::kActive:
      return "active";
    case ModelState::kPrevious:
      return "previous";
    case ModelState::kRetired:
      return "retired";
    case ModelState::kFailed:
      return "failed";
  }
  return "unknown";
}

Result<ModelPointer> load_model(const std::filesystem::path& folder, const RegistryOptions& options) {
  auto bundle = kan::load_bundle(folder, options.signatures);
  if (!bundle) return tl::unexpected(bundle.error());
  const std::string expected = folder.filename().string();
  if (bundle->full_name() != expected) {
    return fail(ErrorCode::kCorrupt, "bundle {}: its manifest says {}, which its folder must be called",
                expected, bundle->full_name());
  }
  auto prepared = backend::prepare(*bundle, options.backend);
  if (!prepared) return tl::unexpected(prepared.error().within("bundle " + expected));
  warm_up(**prepared);
  if (auto replayed = backend::replay_golden(*bundle, **prepared); !replayed)
    return tl::unexpected(replayed.error());
  return std::make_shared<const pipeline::LoadedModel>(
      pipeline::LoadedModel{std::move(*bundle), std::move(*prepared), std::filesystem::absolute(folder)});
}

ModelRegistry::ModelRegistry(boost::asio::io_context& io, RegistryOptions options)
    : io_(io), options_(std::move(options)) {}

ModelRegistry::~ModelRegistry() {
  loader_.stop();  // what waits behind the load in progress is not begun
  loader_.join();
}

Result<void> ModelRegistry::admit(const std::string& name) const {
  if (!is_bundle_name(name)) {
    return fail(ErrorCode::kInvalid, "model \"{}\": expected <name>-<version>, a folder of {}", name,
                options_.repository.string());
  }
  if (const auto known = entries_.find(name);
      known != entries_.end() && (known->second.model || !known->second.waiting.empty())) {
    return {};
  }
  const auto taken = std::ranges::count_if(entries_, [](const auto& item) {
    return item.second.model != nullptr || !item.second.waiting.empty();
  });
  if (static_cast<std::uint64_t>(taken) < options_.loaded_models_max) return {};
  return fail(ErrorCode::kBusy,
              "model {}: {} models are loaded, the most allowed; unload one first (kantrig model unload)",
              name, taken);
}

void ModelRegistry::load(const std::string& name, Loaded done) {
  if (auto admitted = admit(name); !admitted) {
    boost::asio::post(io_,
                      [done = std::move(done), error = admitted.error()] { done(tl::unexpected(error)); });
    return;
  }
  Entry& entry = entries_[name];
  entry.waiting.push_back(std::move(done));
  if (entry.waiting.size() > 1) return;  // one load answers them all
  // The guard keeps io running until the load has been reported.
  boost::asio::post(loader_, [this, name, guard = boost::asio::make_work_guard(io_)] {
    auto loaded = load_model(options_.repository / name, options_);
    boost::asio::post(
        io_, [this, name, loaded = std::move(loaded)]() mutable { finish(name, std::move(loaded)); });
  });
}

void ModelRegistry::finish(const std::string& name, Result<ModelPointer> loaded) {
  Entry& entry = entries_[name];
  if (!loaded) {
    entry.failure = loaded.error().message;
  } else {
    entry.failure.clear();
    entry.retired = false;
    // The same bytes as before: the pointer that may be running stays the one that is known.
    if (entry.model && entry.model->bundle.digest == (*loaded)->bundle.digest) loaded = entry.model;
    entry.model = *loaded;
    entry.digest = entry.model->bundle.digest;
  }
  const std::vector<Loaded> waiting = std::exchange(entry.waiting, {});
  std::error_code
      ignored;  // a name that is no folder is not remembered: names come from outside, memory is bounded
  if (!loaded && !entry.model && !std::filesystem::exists(options_.repository / name, ignored))
    entries_.erase(name);
  for (const Loaded& done : waiting) done(loaded);
}

ModelPointer ModelRegistry::find(const std::string& name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? nullptr : entry->second.model;
}

bool ModelRegistry::has_role(const ModelPointer& model) const noexcept {
  return model && (model == roles_.active || model == roles_.previous || model == roles_.shadow);
}

Result<void> ModelRegistry::unload(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry == entries_.end() || !entry->second.model)
    return fail(ErrorCode::kNotFound, "model {}: not loaded", name);
  if (has_role(entry->second.model)) {
    return fail(ErrorCode::kBusy,
                "model {}: it is {}; only a model that has no part in the data path can be unloaded", name,
                name_of(describe(name, entry->second).state));
  }
  entry->second.model = nullptr;
  entry->second.digest.reset();
  return {};
}

void ModelRegistry::set_roles(const Roles& roles) {
  const Roles before = std::exchange(roles_, roles);
  for (auto& [name, entry] : entries_) {
    const bool ran = entry.model && (entry.model == before.active || entry.model == before.previous);
    if (ran && !has_role(entry.model)) {
      entry.model = nullptr;
      entry.retired = true;
    }
    if (entry.model && entry.model == roles_.active) entry.generation = roles_.generation;
  }
}

ModelInfo ModelRegistry::describe(const std::string& name, const Entry& entry) const {
  ModelInfo info{
      .name = name, .digest = entry.digest, .reason = entry.failure, .generation = entry.generation};
  if (!entry.model) {
    info.state = !entry.failure.empty() ? ModelState::kFailed
                 : entry.retired        ? ModelState::kRetired
                                        : ModelState::kStaged;
  } else if (entry.model == roles_.active) {
    info.state = ModelState::kActive;
  } else if (entry.model == roles_.shadow) {
    info.state = ModelState::kShadow;
  } else if (entry.model == roles_.previous) {
    info.state = ModelState::kPrevious;
  } else {
    info.state = ModelState::kVerified;
  }
  return info;
}

std::vector<ModelInfo> ModelRegistry::list() const {
  std::map<std::string, ModelInfo> models;
  for (const std::string& name : bundle_folders(options_.repository)) models[name].name = name;
  for (const auto& [name, entry] : entries_) models[name] = describe(name, entry);
  std::vector<ModelInfo> list;
  for (auto& [name, info] : models) list.push_back(std::move(info));
  return list;
}

}  // namespace kantrig::control
