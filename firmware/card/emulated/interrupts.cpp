// Interrupts of compute units (xrt::ip). Weak in the library's part that is linked in, where they throw.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

#include "card/emulated/hal.hpp"

// `device` is an object of class xrt_core::device_pcie.
extern "C" {
void* device_handle(const void* device) asm("_ZNK8xrt_core11device_pcie17get_device_handleEv");
int open_interrupt(void* device, unsigned unit) asm("_ZN8xrt_core5ishim24open_ip_interrupt_notifyEj");
void close_interrupt(void* device, int fd) asm("_ZN8xrt_core5ishim25close_ip_interrupt_notifyEi");
void enable_interrupt(void* device, int fd) asm("_ZN8xrt_core5ishim19enable_ip_interruptEi");
void disable_interrupt(void* device, int fd) asm("_ZN8xrt_core5ishim20disable_ip_interruptEi");
void wait_interrupt(void* device, int fd) asm("_ZN8xrt_core5ishim17wait_ip_interruptEi");
int wait_interrupt_for(void* device, int fd, int ms) asm("_ZN8xrt_core5ishim17wait_ip_interruptEii");
}

namespace {

using kantrig::emulated::of;

struct Line {
  std::shared_ptr<kantrig::emulated::Card> card;
  unsigned unit = 0;
};

/// Whose interrupts come through an event descriptor.
struct Lines {
  std::mutex mutex;
  std::map<int, Line> by_fd;
};
Lines& lines() {
  static Lines all;
  return all;
}

void connect(int fd, bool connected) {
  const std::lock_guard lock(lines().mutex);
  const auto found = lines().by_fd.find(fd);
  if (found == lines().by_fd.end()) throw std::system_error(EBADF, std::generic_category(), "interrupt");
  const int code = found->second.card->notify(found->second.unit, connected ? fd : -1);
  if (code != 0 && connected) throw std::system_error(-code, std::generic_category(), "interrupt");
}

/// False when `ms` are over; negative: never.
bool wait_for(int fd, int ms) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, ms);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  std::uint64_t count = 0;
  return ::read(fd, &count, sizeof count) == sizeof count;
}

}  // namespace

int open_interrupt(void* device, unsigned unit) {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  {
    const std::lock_guard lock(lines().mutex);
    lines().by_fd[fd] = {of(device_handle(device)).card, unit};
  }
  connect(fd, true);
  return fd;
}

void close_interrupt(void*, int fd) {
  connect(fd, false);
  const std::lock_guard lock(lines().mutex);
  lines().by_fd.erase(fd);
  ::close(fd);
}

void enable_interrupt(void*, int fd) {
  connect(fd, true);
}

void disable_interrupt(void*, int fd) {
  connect(fd, false);
}

void wait_interrupt(void*, int fd) {
  wait_for(fd, -1);
}

int wait_interrupt_for(void*, int fd, int ms) {
  return static_cast<int>(wait_for(fd, ms) ? std::cv_status::no_timeout : std::cv_status::timeout);
}
