#include "card_link/doorbell.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace kantrig::card_link {
namespace {

/// What /proc calls an eventfd.
bool is_eventfd(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, 64> target{};
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  return n > 0 && std::string_view(target.data(), static_cast<std::size_t>(n)).find("[eventfd]") !=
                      std::string_view::npos;
}

}  // namespace

Result<Doorbell> Doorbell::create() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::kIo, "card link: eventfd: {}", std::strerror(errno));
  return Doorbell(fd);
}

Result<Doorbell> Doorbell::adopt(int fd) {
  Doorbell bell(fd);
  if (!is_eventfd(fd)) return fail(ErrorCode::kInvalid, "card link: a doorbell is no eventfd: expected one");
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)  // nobody may block us with a full counter
    return fail(ErrorCode::kIo, "card link: doorbell: {}", std::strerror(errno));
  return bell;
}

Result<Doorbell> Doorbell::duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(ErrorCode::kIo, "card link: doorbell: {}", std::strerror(errno));
  return adopt(copy);
}

Doorbell::~Doorbell() {
  if (fd_ >= 0) ::close(fd_);
}

void Doorbell::ring() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(fd_, &one, sizeof one);  // fails only when it rings already
}

void Doorbell::drain() const noexcept {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto n = ::read(fd_, &ignored, sizeof ignored);
}

bool Doorbell::wait(std::uint32_t timeout_ms) const noexcept {
  pollfd poll{fd_, POLLIN, 0};
  const bool rang = ::poll(&poll, 1, static_cast<int>(timeout_ms)) > 0;
  if (rang) drain();
  return rang;
}

}  // namespace kantrig::card_link
