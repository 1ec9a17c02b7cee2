#include "wire/ipc_path.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kantrig::wire {

IpcState ipc_state(std::string_view endpoint) noexcept {
  constexpr std::string_view kScheme = "ipc://";
  if (!endpoint.starts_with(kScheme)) return IpcState::kNotIpc;
  const std::string_view path = endpoint.substr(kScheme.size());
  sockaddr_un address{};
  if (path.empty() || path.front() == '@' || path.front() == '*') return IpcState::kNotIpc;
  if (path.size() >= sizeof address.sun_path)
    return IpcState::kFree;  // too long for anybody: zmq_bind will say so
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return IpcState::kFree;
  const bool served = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
                      errno == EAGAIN;  // EAGAIN: it listens, and its backlog is full
  close(fd);
  return served ? IpcState::kServed : IpcState::kFree;
}

}  // namespace kantrig::wire
