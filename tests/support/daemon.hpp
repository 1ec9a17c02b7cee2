// A real kantrigd in a folder of its own: started, asked, killed and started again on the same state.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "kantrig/v1/control.pb.h"
#include "kantrig/v1/record.pb.h"
#include "support/child.hpp"
#include "support/temporary_folder.hpp"
#include "wire/context.hpp"

namespace kantrig::test {

/// The folder holds everything: models/ (with the shipped jets-1.1.0), menu.toml, sockets, state/ and the
/// log. What one life of the daemon left there, the next one finds.
///
/// Threading: one thread at a time, and always the one that called start(): the daemon dies with it.
class Daemon {
 public:
  /// Starts nothing yet. `settings`: "key=value", over those that put the daemon into its folder.
  explicit Daemon(std::vector<std::string> settings = {});
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Starts it and waits until it answers on the control socket and is past its start. The error holds the
  /// end of the log.
  [[nodiscard]] Result<void> start();
  /// SIGKILL, and waits until it is gone.
  void kill() { child_.kill(); }
  /// SIGTERM, and waits until it is gone, at most a minute. Returns its exit code; 128 + the signal when one
  /// ended it.
  int terminate();
  /// SIGTERM without waiting; exit_code() waits.
  void begin_termination() { child_.begin_termination(); }
  int exit_code() { return child_.exit_code(); }
  [[nodiscard]] bool running() { return child_.running(); }
  /// -1 when it does not run.
  [[nodiscard]] pid_t pid() const { return child_.pid(); }

  /// One request of an operator. An error in the reply is an Error here: kBusy.
  [[nodiscard]] Result<v1::ControlReply> call(v1::ControlRequest request, std::uint32_t timeout_ms = 30'000);
  [[nodiscard]] Result<v1::StatusReply> status();
  [[nodiscard]] Result<v1::ControlReply> model(v1::ModelAction::Verb verb, const std::string& name = {});
  [[nodiscard]] Result<v1::ControlReply> load_menu(const std::string& text,
                                                   const std::string& origin = "test.toml");
  [[nodiscard]] Result<v1::ControlReply> set_column(const std::string& column);
  [[nodiscard]] Result<std::uint64_t> start_run();
  /// Ends the run and returns its record.
  [[nodiscard]] Result<v1::RunRecord> stop_run();
  [[nodiscard]] Result<v1::RunRecord> run_record(std::uint64_t run) const;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path models() const { return folder() / "models"; }
  [[nodiscard]] std::filesystem::path state() const { return folder() / "state"; }
  [[nodiscard]] std::filesystem::path menu_file() const { return folder() / "menu.toml"; }
  [[nodiscard]] std::string events_endpoint() const { return "ipc://" + (folder() / "events").string(); }
  [[nodiscard]] std::string control_endpoint() const { return "ipc://" + (folder() / "control").string(); }
  /// ADDRESS:PORT of the metrics server of the present life, from its log; empty before it is ready.
  [[nodiscard]] std::string telemetry_address() const;
  /// Resident memory, from the kernel.
  [[nodiscard]] std::uint64_t resident_bytes() const { return child_.resident_bytes(); }
  /// Everything that all lives of it have logged.
  [[nodiscard]] std::string log() const { return child_.log(); }

 private:
  [[nodiscard]] Result<void> spawn();

  TemporaryFolder folder_;
  Child child_;
  std::vector<std::string> settings_;
  std::optional<wire::Context> context_;
};

/// A file of the source tree.
[[nodiscard]] std::filesystem::path source_file(const std::string& name);
/// A program of this build.
[[nodiscard]] std::filesystem::path program(const std::string& name);

}  // namespace kantrig::test
