#include "synth/tool.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/file.hpp"

namespace kantrig::synth {
namespace {

/// The program's own words: its last line that speaks of an error, or its last line.
std::string last_words(const std::filesystem::path& log) {
  std::ifstream in(log);
  std::string found;
  bool is_error = false;
  for (std::string line; std::getline(in, line);) {
    const bool error = line.find("ERROR") != std::string::npos || line.find("error:") != std::string::npos;
    if (line.empty() || (is_error && !error)) continue;
    found = line;
    is_error = is_error || error;
  }
  return found.empty() ? "it printed nothing" : found.substr(0, 400);
}

Result<pid_t> start(const ToolRun& run) {
  std::vector<std::string> words{run.program};
  words.insert(words.end(), run.arguments.begin(), run.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string folder = run.folder.string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, run.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, run.program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) {
    return fail(
        ErrorCode::kNotFound,
        "{} is not installed: it is in the Debian package {}, which deploy/install-deps.sh --hardware "
        "installs",
        run.program, run.package);
  }
  if (code != 0) return fail(ErrorCode::kIo, "{}: cannot be started: {}", run.program, std::strerror(code));
  return pid;
}

/// False when the time is over; the child is ended and reaped then.
bool wait_for_end(pid_t pid, std::uint32_t seconds_max, int& status) {
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  bool ended = true;
  if (process >= 0) {
    pollfd poll{.fd = process, .events = POLLIN, .revents = 0};
    int ready = 0;
    do {
      ready = ::poll(&poll, 1, static_cast<int>(seconds_max) * 1'000);
    } while (ready < 0 && errno == EINTR);
    ::close(process);
    ended = ready != 0;
    if (!ended) ::kill(pid, SIGKILL);
  }
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

}  // namespace

Result<void> run_tool(const ToolRun& run) {
  const auto pid = start(run);
  if (!pid) return tl::unexpected(pid.error());
  int status = 0;
  if (!wait_for_end(*pid, run.seconds_max, status)) {
    return fail(ErrorCode::kTimeout, "{}: not done after {} s, expected less; ended", run.program,
                run.seconds_max);
  }
  if (WIFSIGNALED(status)) {
    return fail(ErrorCode::kIo, "{}: ended by signal {} ({})", run.program, WTERMSIG(status),
                ::strsignal(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::kInvalid, "{} failed with exit code {}: {}", run.program, WEXITSTATUS(status),
                last_words(run.folder / run.log));
  }
  return {};
}

WorkFolder::WorkFolder(std::filesystem::path path, bool temporary)
    : path_(std::move(path)), temporary_(temporary) {}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;  // what is left of it is in the way of nobody
  if (temporary_) std::filesystem::remove_all(path_, ignored);
}

Result<WorkFolder> WorkFolder::make(const std::filesystem::path& keep) {
  std::error_code error;
  if (!keep.empty()) {
    std::filesystem::create_directories(keep, error);
    if (error) return fail(ErrorCode::kIo, "{}: cannot be made: {}", keep.string(), error.message());
    return WorkFolder(keep, false);
  }
  std::string name = (std::filesystem::temp_directory_path(error) / "kantrig-synth-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr)
    return fail(ErrorCode::kIo, "{}: cannot be made: {}", name, std::strerror(errno));
  return WorkFolder(name, true);
}

Result<void> WorkFolder::write(const std::string& name, std::string_view content) const {
  std::error_code error;
  std::filesystem::create_directories((path_ / name).parent_path(), error);
  return base::write_file_atomic(path_ / name, content);
}

}  // namespace kantrig::synth
