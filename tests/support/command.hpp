// A command of the shell, as a user would type it.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace kantrig::test {

struct CommandOutcome {
  int exit_code = -1;
  std::string output;  // stdout; with 2>&1 in the command stderr too
};

inline CommandOutcome run_command(const std::string& command) {
  CommandOutcome outcome;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    outcome.output.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

/// Whether the shell finds `program`: tests that need it skip visibly without it.
inline bool has_program(const std::string& program) {
  return run_command("command -v " + program + " > /dev/null").exit_code == 0;
}

}  // namespace kantrig::test
