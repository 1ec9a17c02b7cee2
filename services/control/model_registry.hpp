// ModelRegistry: the folder of bundles, and those of them that are loaded and ready to run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "control/options.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

/// Where a model stands. In the order of a model's life; kFailed can follow kStaged.
enum class ModelState : std::uint8_t { kStaged, kVerified, kShadow, kActive, kPrevious, kRetired, kFailed };
[[nodiscard]] std::string_view name_of(ModelState state) noexcept;

/// One line of `kantrig model list`.
struct ModelInfo {
  std::string name;                    // <name>-<version>
  std::optional<base::Digest> digest;  // of the loaded bundle; of one that was loaded before, when retired
  ModelState state = ModelState::kStaged;
  std::string reason;     // of kFailed, and of a load that failed while the model loaded before goes on
  Generation generation;  // of its last activation since the daemon started; 0: none
};

using ModelPointer = std::shared_ptr<const pipeline::LoadedModel>;

/// Which models run at present.
struct Roles {
  ModelPointer active;
  ModelPointer previous;
  ModelPointer shadow;
  Generation generation;  // of active
};

/// Everything between a folder and a model that may run: read and prove the bundle, make it ready for
/// the backend, warm it up, replay its golden vectors with exactly what will run. A failure at any step
/// leaves what is loaded as it was.
[[nodiscard]] Result<ModelPointer> load_model(const std::filesystem::path& folder,
                                              const RegistryOptions& options);

/// Threading: owned by the thread that runs `io`; loading happens in one thread of its own and is reported on
/// `io`. Bounds:    loaded_models_max loaded or on their way; kBundlesListedMax names.
class ModelRegistry {
 public:
  static constexpr std::size_t kBundlesListedMax = 1024;
  using Loaded = std::function<void(Result<ModelPointer>)>;

  ModelRegistry(boost::asio::io_context& io, RegistryOptions options);
  ~ModelRegistry();  // waits for a load in progress
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;

  /// Loads `name` anew from its folder, even when it is loaded: the bytes there may have changed. `done` is
  /// called later, on `io`. Loads of one name at one time are one load.
  void load(const std::string& name, Loaded done);
  /// What is loaded under `name`; empty when nothing is.
  [[nodiscard]] ModelPointer find(const std::string& name) const;
  /// Forgets a loaded model that has no role. Errors: not loaded, or active, previous or shadow.
  [[nodiscard]] Result<void> unload(const std::string& name);

  /// Tells which models run now. One that ran and no longer has a role is retired: it leaves memory.
  void set_roles(const Roles& roles);
  /// Every bundle of the repository and every model known besides, by name.
  [[nodiscard]] std::vector<ModelInfo> list() const;
  [[nodiscard]] const RegistryOptions& options() const noexcept { return options_; }

 private:
  struct Entry {
    ModelPointer model;
    std::optional<base::Digest> digest;
    std::string failure;
    bool retired = false;
    Generation generation;
    std::vector<Loaded> waiting;  // not empty: being loaded
  };

  [[nodiscard]] Result<void> admit(const std::string& name) const;
  void finish(const std::string& name, Result<ModelPointer> loaded);
  [[nodiscard]] ModelInfo describe(const std::string& name, const Entry& entry) const;
  [[nodiscard]] bool has_role(const ModelPointer& model) const noexcept;

  boost::asio::io_context& io_;
  RegistryOptions options_;
  std::map<std::string, Entry> entries_;
  Roles roles_;
  boost::asio::thread_pool loader_{1};
};

}  // namespace kantrig::control
