#include "card_link/packet_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "card_link/messages.hpp"

namespace kantrig::card_link {
namespace {

constexpr int kBacklog = 16;
constexpr int kKernelBufferBytes = 4 * static_cast<int>(kMessageBytesMax);

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kInvalid, "card socket '{}': a path of {} bytes, expected 1 to {}", text,
                text.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

Result<Descriptor> make_socket() {
  Descriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorCode::kIo, "card socket: {}", std::strerror(errno));
  // Best effort: the system's own bounds are enough for all but the largest layouts.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kKernelBufferBytes, sizeof kKernelBufferBytes);
  return fd;
}

/// Takes over every descriptor that came with the message.
std::vector<Descriptor> descriptors_of(msghdr& message) {
  std::vector<Descriptor> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

using Control = std::array<char, CMSG_SPACE(sizeof(int) * kDescriptorsMax)>;

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<PacketSocket> PacketSocket::connect(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  auto fd = make_socket();
  if (!fd) return tl::unexpected(fd.error());
  if (::connect(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == EAGAIN)
      return fail(ErrorCode::kBusy, "card socket {}: too many wait to be accepted", path.native());
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    return fail(nobody ? ErrorCode::kNotFound : ErrorCode::kIo, "card socket {}: {}{}", path.native(),
                std::strerror(errno), nobody ? ": expected a running kantrig-card" : "");
  }
  return PacketSocket(std::move(*fd));
}

Result<void> PacketSocket::send(std::string_view bytes, std::span<const int> descriptors) {
  if (bytes.size() > kMessageBytesMax || descriptors.size() > kDescriptorsMax)
    return fail(ErrorCode::kInvalid,
                "card socket: a packet of {} bytes and {} descriptors, expected at most {} and {}",
                bytes.size(), descriptors.size(), kMessageBytesMax, kDescriptorsMax);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) Control control{};
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
  }
  if (::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
    return fail(ErrorCode::kBusy, "card socket: the other side does not read");
  return fail(ErrorCode::kIo, "card socket: {}", std::strerror(errno));
}

Result<std::optional<Packet>> PacketSocket::receive() {
  buffer_.resize(kMessageBytesMax);
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return std::nullopt;
  if (n < 0) return fail(ErrorCode::kIo, "card socket: {}", std::strerror(errno));
  Packet packet{std::string(buffer_.data(), static_cast<std::size_t>(n)), descriptors_of(message)};
  if (n == 0) return fail(ErrorCode::kIo, "card socket: the other side has closed it");
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    return fail(ErrorCode::kInvalid, "card socket: a packet with more than {} bytes or {} descriptors",
                kMessageBytesMax, kDescriptorsMax);
  return packet;
}

bool PacketSocket::wait(std::uint32_t timeout_ms) const {
  pollfd poll{fd_.get(), POLLIN, 0};
  return ::poll(&poll, 1, static_cast<int>(timeout_ms)) > 0;
}

std::uint64_t PacketSocket::peer_pid() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return 0;
  return static_cast<std::uint64_t>(credentials.pid);
}

Result<Listener> Listener::open(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  if (const auto living = PacketSocket::connect(path); living) {
    return fail(ErrorCode::kBusy,
                "card socket {}: process {} listens there: expected one kantrig-card a socket", path.native(),
                living->peer_pid());
  } else if (living.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(living.error());  // somebody is there whom we could not ask
  }
  auto fd = make_socket();
  if (!fd) return tl::unexpected(fd.error());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
  const mode_t before = ::umask(S_IXUSR | S_IXGRP | S_IRWXO);
  const int bound = ::bind(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return fail(ErrorCode::kIo, "card socket {}: {}", path.native(), std::strerror(error));
  if (::listen(fd->get(), kBacklog) != 0)
    return fail(ErrorCode::kIo, "card socket {}: {}", path.native(), std::strerror(errno));
  return Listener(std::move(*fd), path);
}

Listener::~Listener() {
  if (fd_) ::unlink(path_.c_str());
}

Result<std::optional<PacketSocket>> Listener::accept() {
  Descriptor fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED))
    return std::nullopt;
  if (!fd) return fail(ErrorCode::kIo, "card socket {}: accept: {}", path_.native(), std::strerror(errno));
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kKernelBufferBytes, sizeof kKernelBufferBytes);
  return PacketSocket(std::move(fd));
}

}  // namespace kantrig::card_link
