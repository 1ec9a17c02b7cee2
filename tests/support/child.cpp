#include "support/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace kantrig::test {
namespace {

constexpr int kEndTimeoutMs = 60'000;

/// Ours without what `changes` name, then `changes`.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('=') + 1);
    const bool changed =
        std::ranges::any_of(changes, [&](const std::string& c) { return c.starts_with(name); });
    if (!changed) all.emplace_back(text);
  }
  all.insert(all.end(), changes.begin(), changes.end());
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Child::~Child() {
  kill();
}

Result<void> Child::start(std::vector<std::string> words, const std::vector<std::string>& environment) {
  std::vector<std::string> variables = environment_with(environment);
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);
  log_begin_ = log().size();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorCode::kIo, "fork: {}", std::strerror(errno));
  if (child == 0) {  // only calls that are safe after fork
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int log_fd = ::open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_fd < 0 || ::dup2(log_fd, STDOUT_FILENO) < 0 || ::dup2(log_fd, STDERR_FILENO) < 0) ::_exit(127);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  pid_ = child;
  pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pid_fd_ >= 0) return {};
  const int error = errno;
  kill();
  return fail(ErrorCode::kIo, "pidfd_open: {}", std::strerror(error));
}

void Child::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  collect(status);
}

void Child::begin_termination() {
  if (pid_ >= 0) ::kill(pid_, SIGTERM);
}

int Child::exit_code() {
  if (pid_ >= 0 && !wait_for_end(kEndTimeoutMs)) kill();
  return exit_code_;
}

bool Child::wait_for_end(int timeout_ms) {
  pollfd ended{.fd = pid_fd_, .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, timeout_ms) <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  collect(status);
  return true;
}

void Child::collect(int status) {
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  if (pid_fd_ >= 0) ::close(pid_fd_);
  pid_fd_ = -1;
}

std::uint64_t Child::resident_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::uint64_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  return 0;
}

std::string Child::log() const {
  std::ifstream stream(log_file_, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string Child::log_of_this_life() const {
  const std::string text = log();
  return text.substr(std::min<std::size_t>(log_begin_, text.size()));
}

}  // namespace kantrig::test
