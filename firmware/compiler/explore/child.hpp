// Children: programs that run side by side, each with a log of its own, and end when their parent does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kantrig::explore {

struct Command {
  std::vector<std::string> words;  // the program, found in PATH, and its arguments
  std::filesystem::path log;       // takes what it prints; empty: its output is ours
  int niceness = 0;                // added to ours
};

struct Ended {
  std::size_t id = 0;   // as given to start()
  std::string problem;  // empty: exit code 0
};

/// Belongs to one thread. The children get SIGTERM when it goes, and from the kernel when this process is
/// killed.
class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children();

  [[nodiscard]] Result<void> start(std::size_t id, const Command& command);
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }
  /// Waits for one to end. Nothing when none does in time. Precondition: running() > 0.
  [[nodiscard]] std::optional<Ended> wait(std::chrono::milliseconds time_max);

 private:
  struct Child {
    std::size_t id = 0;
    pid_t pid = -1;
    int descriptor = -1;  // pidfd
  };
  std::vector<Child> running_;
};

/// One command from begin to end; ended by force after `time_max`. What went wrong, in words; empty: nothing.
[[nodiscard]] Result<std::string> run_to_end(const Command& command, std::chrono::seconds time_max);

}  // namespace kantrig::explore
