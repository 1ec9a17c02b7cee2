// ChildProcess: another program of ours, run beside this one and ended with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::apps {

class ChildProcess {
 public:
  /// Starts `program` with `arguments`; its output goes to our stderr. Errors name the program.
  [[nodiscard]] static Result<ChildProcess> start(const std::filesystem::path& program,
                                                  const std::vector<std::string>& arguments);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // stop()

  /// SIGTERM, then waits for the end. Returns the exit code; 128 + the signal when one ended it.
  int stop() noexcept;
  /// False once it has ended by itself.
  [[nodiscard]] bool running() noexcept;

 private:
  explicit ChildProcess(pid_t pid) noexcept : pid_(pid) {}
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

/// The folder of the running program: our other programs lie beside it.
[[nodiscard]] std::filesystem::path program_folder();

/// A file that we ship, such as "models/jets-1.1.0" or "menu.toml": from the installation, or from the source
/// tree that this build belongs to. Empty when it is in neither.
[[nodiscard]] std::filesystem::path shipped_file(const std::string& name);

}  // namespace kantrig::apps
