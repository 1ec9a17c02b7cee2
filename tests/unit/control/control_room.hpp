// A daemon's control side without its sockets: repository, menu, books and fake shards in a folder that goes
// with the test.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "control/controller.hpp"
#include "support/manual_clock.hpp"
#include "support/temporary_folder.hpp"
#include "unit/control/fake_shard.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {

inline constexpr const char* kMenu = R"(version = 1
name = "small"
columns = ["physics", "calibration"]
default_column = "physics"
[[line]]
name = "w_like"
when = "class == w"
[[line]]
name = "everything"
when = "any"
prescale = { physics = 10, calibration = 1 }
)";

inline constexpr const char* kOtherMenu = R"(version = 1
name = "other"
columns = ["physics", "cosmics"]
default_column = "cosmics"
[[line]]
name = "g_like"
when = "class == g"
)";

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// What lies on disk and outlives a daemon.
struct ControlFolder {
  ControlFolder() {
    std::filesystem::create_directories(repository());
    write_text(menu_file(), kMenu);
    add_bundle("1.0.0");
    add_bundle("1.1.0");
    add_bundle("1.2.0");
  }

  [[nodiscard]] std::filesystem::path repository() const { return folder.path() / "models"; }
  [[nodiscard]] std::filesystem::path menu_file() const { return folder.path() / "menu.toml"; }
  [[nodiscard]] std::filesystem::path state_file() const { return folder.path() / "state.json"; }

  /// small-<version>, whose third output is `third`, so that every version has a digest of its own.
  void add_bundle(const std::string& version, std::vector<std::string> classes = {"g", "w", "z"}) const {
    kan::Bundle bundle = small_bundle();
    bundle.version = version;
    bundle.classes = std::move(classes);
    const auto written =
        kan::write_bundle(bundle, repository() / bundle.full_name(), kan::Overwrite::kRefuse);
    ASSERT_TRUE(written) << written.error().message;
  }
  /// Flips one bit of the model.
  void damage_bundle(const std::string& version) const {
    std::fstream file(repository() / ("small-" + version) / "model.pb",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(20);
    const int byte = file.get();
    file.seekp(20);
    file.put(static_cast<char>(byte ^ 1));
  }

  TemporaryFolder folder;
};

/// One life of the control side. Destroying it without more ado is what SIGKILL leaves of it.
class ControlRoom {
 public:
  explicit ControlRoom(const ControlFolder& folder, control::ControllerOptions options = {},
                       std::size_t shards = 2)
      : folder_(folder),
        log_(base::LogLevel::kError),
        runs_(ledger::RunBook::open(folder.folder.path() / "runs", "0.0.0").value()) {
    for (std::size_t i = 0; i < shards; ++i) {
      shards_.push_back(
          std::make_unique<FakeShard>(folder.folder.path() / ("ledger-" + std::to_string(i) + ".bin")));
    }
    control::RegistryOptions models;
    models.repository = folder.repository();
    models.backend.kernel_set = "scalar";
    models.loaded_models_max = 4;
    registry_.emplace(io, models);
    options.state_file = folder.state_file();
    if (options.model.empty()) options.model = "small-1.0.0";
    if (options.menu_file.empty()) options.menu_file = folder.menu_file();
    options.poll_ms = 1;
    options.upkeep_ms = 1;
    options.adopt_timeout_ms = 2'000;
    options.drain_timeout_ms = 5'000;
    control::Shards pointers;
    for (const auto& shard : shards_) pointers.push_back(shard.get());
    controller_.emplace(control::Controller::Parts{io, clock, log_, *registry_, runs_, pointers}, options);
  }

  /// Runs the event loop until `condition`, in real time at most 30 s: a bound for a hanging test, not a
  /// wait.
  template <typename Condition>
  [[nodiscard]] bool run_until(Condition&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }

  /// Runs one operation to its end.
  template <typename T = void, typename Operation>
  Result<T> finish(Operation&& operation) {
    std::optional<Result<T>> result;
    operation([&result](Result<T> outcome) { result = std::move(outcome); });
    if (!run_until([&] { return result.has_value(); })) return fail(ErrorCode::kTimeout, "the test gave up");
    return std::move(*result);
  }

  Result<void> start() {
    return finish([this](control::Done<void> done) { controller().start(std::move(done)); });
  }
  Result<void> activate(const std::string& name) {
    return finish([&](control::Done<void> done) { controller().activate(name, std::move(done)); });
  }
  Result<void> load(const std::string& name) {
    return finish([&](control::Done<void> done) { controller().load(name, std::move(done)); });
  }
  Result<void> rollback() {
    return finish([&](control::Done<void> done) { controller().rollback(std::move(done)); });
  }
  Result<void> shadow(const std::string& name) {
    return finish([&](control::Done<void> done) { controller().shadow(name, std::move(done)); });
  }
  Result<void> load_menu(const std::string& text) {
    return finish([&](control::Done<void> done) {
      controller().load_menu({text, "new.toml"}, std::move(done));
    });
  }
  Result<void> set_column(const std::string& column) {
    return finish([&](control::Done<void> done) { controller().set_column(column, std::move(done)); });
  }
  Result<RunNumber> start_run() {
    return finish<RunNumber>(
        [&](control::Done<RunNumber> done) { controller().start_run("test", std::move(done)); });
  }
  Result<control::RunStopped> stop_run() {
    return finish<control::RunStopped>(
        [&](control::Done<control::RunStopped> done) { controller().stop_run("end", std::move(done)); });
  }

  [[nodiscard]] control::Controller& controller() { return *controller_; }
  [[nodiscard]] control::ModelRegistry& registry() { return *registry_; }
  [[nodiscard]] FakeShard& shard(std::size_t index) { return *shards_[index]; }
  [[nodiscard]] ledger::RunBook& runs() { return runs_; }
  [[nodiscard]] control::ModelInfo model(const std::string& name) {
    for (const control::ModelInfo& info : registry_->list()) {
      if (info.name == name) return info;
    }
    return {};
  }

  boost::asio::io_context io;
  ManualClock clock;

 private:
  const ControlFolder& folder_;
  base::Logger log_;
  ledger::RunBook runs_;
  std::vector<std::unique_ptr<FakeShard>> shards_;
  std::optional<control::ModelRegistry> registry_;
  std::optional<control::Controller> controller_;
};

}  // namespace kantrig::test
