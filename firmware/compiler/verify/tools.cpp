#include "compiler/verify/tools.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include "base/file.hpp"

namespace kantrig::compiler {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLogBytesMax = std::size_t{64} << 20U;
constexpr std::size_t kLogBytesShown = 3'000;
constexpr std::size_t kOutputBytesMax = std::size_t{64} << 10U;
constexpr auto kPoll = std::chrono::milliseconds(5);

struct Running {
  const ToolRun* run;
  pid_t pid;
  Clock::time_point deadline;
};

Result<Running> start(const ToolRun& run) {
  std::vector<std::string> words = run.words;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, run.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, run.folder.c_str());
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) {
    return fail(ErrorCode::kIo, "{}: cannot be started in {}: {}", run.words[0], run.folder.string(),
                std::strerror(code));
  }
  return Running{&run, pid, Clock::now() + std::chrono::seconds(run.seconds_max)};
}

void end(const Running& running) {
  ::kill(running.pid, SIGKILL);
  int status = 0;
  while (::waitpid(running.pid, &status, 0) < 0 && errno == EINTR) {
  }
}

std::string end_of_log(const fs::path& log) {
  const auto text = base::read_file(log, kLogBytesMax);
  if (!text) return text.error().message;
  return text->size() <= kLogBytesShown ? *text : "... " + text->substr(text->size() - kLogBytesShown);
}

/// Empty while it runs.
std::optional<Result<void>> outcome_of(const Running& running) {
  int status = 0;
  if (::waitpid(running.pid, &status, WNOHANG) != running.pid) {
    if (Clock::now() < running.deadline) return std::nullopt;
    end(running);
    return fail(ErrorCode::kTimeout, "{}: took longer than {} s and was ended", running.run->words[0],
                running.run->seconds_max);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Result<void>();
  const std::string how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                            : fmt::format("signal {}", WTERMSIG(status));
  return fail(ErrorCode::kInvalid, "{} ended with {}:\n{}", running.run->words[0], how,
              end_of_log(running.run->log));
}

}  // namespace

Result<fs::path> find_tool(std::string_view name, std::string_view package) {
  const char* const value = std::getenv("PATH");
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / name;
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return fail(ErrorCode::kNotFound,
              "{}: not found on the PATH; expected Debian's package {} (deploy/install-deps.sh --hardware)",
              name, package);
}

Result<void> run_tools(const std::vector<ToolRun>& runs, std::uint32_t at_once) {
  std::vector<Running> running;
  Result<void> result;
  std::size_t next = 0;
  while (result && (next < runs.size() || !running.empty())) {
    while (result && next < runs.size() && running.size() < at_once) {
      auto started = start(runs[next++]);
      if (started) running.push_back(*started);
      if (!started) result = tl::unexpected(started.error());
    }
    const std::size_t before = running.size();
    for (std::size_t i = 0; result && i < running.size();) {
      const auto outcome = outcome_of(running[i]);
      if (outcome) {
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        result = *outcome;
      } else {
        ++i;
      }
    }
    if (running.size() == before) std::this_thread::sleep_for(kPoll);
  }
  for (const Running& left : running) end(left);
  return result;
}

Result<std::string> output_of(const std::vector<std::string>& words, const fs::path& scratch_file) {
  const fs::path folder = scratch_file.parent_path();
  if (auto ok = run_tools({{.words = words, .folder = folder, .log = scratch_file}}, 1); !ok)
    return tl::unexpected(ok.error());
  return base::read_file(scratch_file, kOutputBytesMax);
}

}  // namespace kantrig::compiler
