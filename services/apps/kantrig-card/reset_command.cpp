#include "apps/kantrig-card/reset_command.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace kantrig::card_host {
namespace {

std::string with_device(std::string command, std::string_view device) {
  constexpr std::string_view kMark = "{device}";
  for (std::size_t at = command.find(kMark); at != std::string::npos;
       at = command.find(kMark, at + device.size()))
    command.replace(at, kMark.size(), device);
  return command;
}

/// In a process group of its own, so that all of it can be killed.
Result<pid_t> spawn(std::string command) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  std::array<char, 8> shell{"/bin/sh"};
  std::array<char, 3> option{"-c"};
  const std::array<char*, 4> words{shell.data(), option.data(), command.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, shell.data(), nullptr, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return fail(ErrorCode::kIo, "/bin/sh: {}", std::strerror(error));
}

}  // namespace

DeviceResult<void> run_reset_command(const std::string& command, std::string_view device,
                                     std::uint64_t limit_ns) {
  const auto pid = spawn(with_device(command, device));
  if (!pid) return fault(FaultKind::kRefused, "reset command: {}", pid.error().message);
  const int pid_fd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
  pollfd ended{pid_fd, POLLIN, 0};
  const bool in_time =
      ::poll(&ended, 1, static_cast<int>(std::min<std::uint64_t>(limit_ns / 1'000'000, 1U << 30U))) > 0;
  if (!in_time) ::kill(-*pid, SIGKILL);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid_fd >= 0) ::close(pid_fd);
  if (!in_time)
    return fault(FaultKind::kTimeout, "reset command '{}': killed after {} ms", command,
                 limit_ns / 1'000'000);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fault(FaultKind::kRefused, "reset command '{}': ended with {}, expected 0", command,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace kantrig::card_host
