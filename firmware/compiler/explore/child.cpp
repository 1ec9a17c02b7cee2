#include "compiler/explore/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kantrig::explore {
namespace {

constexpr int kNotStarted = 127;  // exit code, as the shell has it

/// Between fork and exec: only what is allowed there.
[[noreturn]] void become(char* const* argv, const char* log, int niceness, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kNotStarted);  // it went before that was said
  ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + niceness);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (log != nullptr) {
    const int out = ::open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0) ::_exit(kNotStarted);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
  }
  ::execvp(argv[0], argv);
  ::_exit(kNotStarted);
}

std::string problem_of(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  const int code = WEXITSTATUS(status);
  if (code == kNotStarted) return "could not be started";
  return code == 0 ? "" : fmt::format("exit code {}", code);
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Children::~Children() {
  for (const Child& child : running_) ::kill(child.pid, SIGTERM);
  for (const Child& child : running_) {
    reap(child.pid);
    ::close(child.descriptor);
  }
}

Result<void> Children::start(std::size_t id, const Command& command) {
  std::vector<std::string> words = command.words;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = command.log.string();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), log.empty() ? nullptr : log.c_str(), command.niceness, parent);
  if (pid < 0) return fail(ErrorCode::kIo, "{}: no process to be had: {}", words[0], std::strerror(errno));
  const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    reap(pid);
    return fail(ErrorCode::kIo, "{}: cannot be watched: {}", words[0], std::strerror(error));
  }
  running_.push_back({id, pid, descriptor});
  return {};
}

std::optional<Ended> Children::wait(std::chrono::milliseconds time_max) {
  std::vector<pollfd> polls;
  for (const Child& child : running_)
    polls.push_back({.fd = child.descriptor, .events = POLLIN, .revents = 0});
  if (::poll(polls.data(), polls.size(), static_cast<int>(time_max.count())) <= 0) return std::nullopt;
  for (std::size_t i = 0; i < polls.size(); ++i) {
    if (polls[i].revents == 0) continue;
    const Child child = running_[i];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    ::close(child.descriptor);
    return Ended{child.id, problem_of(reap(child.pid))};
  }
  return std::nullopt;
}

Result<std::string> run_to_end(const Command& command, std::chrono::seconds time_max) {
  Children children;
  if (auto ok = children.start(0, command); !ok) return tl::unexpected(ok.error());
  const auto deadline = std::chrono::steady_clock::now() + time_max;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fmt::format("not done after {} s; ended", time_max.count());
    if (auto ended = children.wait(std::min<std::chrono::milliseconds>(left, std::chrono::hours(1))))
      return ended->problem;
  }
}

}  // namespace kantrig::explore
