#include "wire/server_socket.hpp"

#include "wire/ipc_path.hpp"

#include <poll.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace kantrig::wire {
namespace {

zmq_msg_t* message(Frame& frame) noexcept {
  return static_cast<zmq_msg_t*>(frame.handle());
}

bool set_option(void* socket, int option, std::uint64_t value) noexcept {
  const int number = static_cast<int>(std::min<std::uint64_t>(value, std::numeric_limits<int>::max()));
  return zmq_setsockopt(socket, option, &number, sizeof number) == 0;
}

bool set_options(void* socket, const ServerSocketOptions& options) noexcept {
  const auto bytes_max = static_cast<std::int64_t>(options.message_bytes_max);
  const bool set = set_option(socket, ZMQ_ROUTER_MANDATORY, 1) &&
                   set_option(socket, ZMQ_ROUTER_HANDOVER, 1) &&
                   set_option(socket, ZMQ_LINGER, options.linger_ms) &&
                   set_option(socket, ZMQ_RCVHWM, options.receive_hwm) &&
                   set_option(socket, ZMQ_SNDHWM, options.send_hwm) &&
                   set_option(socket, ZMQ_HANDSHAKE_IVL, options.handshake_timeout_ms) &&
                   zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) == 0;
  if (options.kernel_buffer_bytes == 0) return set;
  return set && set_option(socket, ZMQ_SNDBUF, options.kernel_buffer_bytes) &&
         set_option(socket, ZMQ_RCVBUF, options.kernel_buffer_bytes);
}

/// What a person can do about the failed bind of `endpoint`.
std::string cause_of(int code, const std::string& endpoint) {
  switch (code) {
    case EADDRINUSE:
      return "address in use: is another kantrigd running?";
    case EADDRNOTAVAIL:
    case ENODEV:
      return "this machine has no such address";
    case EACCES:
      return "permission denied";
    case ENOENT:
      return "the folder does not exist";
    case ENAMETOOLONG:
      return "the path is too long for a Unix socket, expected at most 107 bytes";
    case EINVAL:
    case EPROTONOSUPPORT:
      return "expected ipc://PATH or tcp://ADDRESS:PORT";
    default:
      break;
  }
  // libzmq reports a folder that is missing or not writable in several ways.
  return fmt::format("{}{}", zmq_strerror(code),
                     endpoint.starts_with("ipc://") ? " (does the folder exist?)" : "");
}

Result<std::string> bind_one(void* socket, const std::string& endpoint) {
  if (ipc_state(endpoint) == IpcState::kServed) {
    return fail(ErrorCode::kBusy, "cannot bind {}: {}", endpoint, cause_of(EADDRINUSE, endpoint));
  }
  if (zmq_bind(socket, endpoint.c_str()) != 0) {
    const int code = zmq_errno();
    return fail(code == EADDRINUSE ? ErrorCode::kBusy : ErrorCode::kIo, "cannot bind {}: {}", endpoint,
                cause_of(code, endpoint));
  }
  std::array<char, 512> bound{};
  std::size_t bytes = bound.size();
  if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound.data(), &bytes) != 0) return endpoint;
  return std::string(bound.data());
}

}  // namespace

std::size_t IdentityHash::operator()(const Identity& identity) const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, 64 bits
  for (const std::byte byte : identity.bytes())
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
  return hash;
}

void ServerMessageFrames::clear() noexcept {
  for (std::size_t i = 0; i < count_; ++i) frames_[i].clear();
  count_ = 0;
  too_many_ = false;
}

Result<ServerSocket> ServerSocket::bind(Context& context, const ServerSocketOptions& options) {
  if (options.endpoints.empty())
    return fail(ErrorCode::kInvalid, "server socket: expected at least one endpoint");
  void* handle = zmq_socket(context.handle(), ZMQ_ROUTER);
  if (handle == nullptr) return fail(ErrorCode::kIo, "server socket: {}", zmq_strerror(zmq_errno()));
  ServerSocket socket(handle);
  if (!set_options(handle, options))
    return fail(ErrorCode::kIo, "server socket: {}", zmq_strerror(zmq_errno()));
  for (const std::string& endpoint : options.endpoints) {
    auto bound = bind_one(handle, endpoint);
    if (!bound) return tl::unexpected<Error>(bound.error());
    socket.endpoints_.push_back(std::move(*bound));
  }
  return socket;
}

ServerSocket::ServerSocket(ServerSocket&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), endpoints_(std::move(other.endpoints_)) {}

ServerSocket& ServerSocket::operator=(ServerSocket&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(endpoints_, other.endpoints_);
  return *this;
}

ServerSocket::~ServerSocket() {
  if (handle_ != nullptr) zmq_close(handle_);
}

bool ServerSocket::receive(ServerMessageFrames& into) noexcept {
  into.clear();
  int outcome = 0;
  do {
    outcome = zmq_msg_recv(message(into.identity_frame_), handle_, ZMQ_DONTWAIT);
  } while (outcome < 0 && zmq_errno() == EINTR);
  if (outcome < 0) return false;
  into.identity_ = Identity(into.identity_frame_.bytes());
  Frame surplus;
  bool more = zmq_msg_more(message(into.identity_frame_)) != 0;
  while (more) {  // the frames of a message arrive together, within message_bytes_max each
    Frame& frame = into.count_ < ServerMessageFrames::kFramesMax ? into.frames_[into.count_] : surplus;
    if (zmq_msg_recv(message(frame), handle_, ZMQ_DONTWAIT) < 0) {
      if (zmq_errno() == EINTR) continue;
      break;
    }
    more = zmq_msg_more(message(frame)) != 0;
    if (&frame == &surplus) {
      into.too_many_ = true;
    } else {
      into.spans_[into.count_++] = frame.bytes();
    }
  }
  return true;
}

SendResult ServerSocket::send(const Identity& to, std::span<const std::byte> head,
                              std::span<const std::byte> tail) noexcept {
  Frame frame = Frame::with_size(head.size() + tail.size());
  const std::span<std::byte> room = frame.writable();
  if (room.size() != head.size() + tail.size()) return SendResult::kFull;  // no memory
  if (!head.empty()) std::memcpy(room.data(), head.data(), head.size());
  if (!tail.empty()) std::memcpy(room.data() + head.size(), tail.data(), tail.size());
  int outcome = 0;
  do {
    outcome = zmq_send(handle_, to.data.data(), to.size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
  } while (outcome < 0 && zmq_errno() == EINTR);
  if (outcome < 0) return zmq_errno() == EAGAIN ? SendResult::kFull : SendResult::kGone;
  do {
    outcome = zmq_msg_send(message(frame), handle_, ZMQ_DONTWAIT);
  } while (outcome < 0 && zmq_errno() == EINTR);
  return outcome < 0 ? SendResult::kGone : SendResult::kSent;
}

WaitResult ServerSocket::wait(std::uint32_t timeout_ms, int wake_fd) noexcept {
  // Not zmq_poll(), which asks the socket before and after the same poll(2): at one event a batch those
  // system calls would be most of the work. The descriptor is edge triggered and receive() has just said that
  // there is nothing.
  std::array<pollfd, 2> items{
      {{fd(), POLLIN, 0}, {wake_fd, POLLIN, 0}}};  // a negative descriptor is passed over
  if (::poll(items.data(), items.size(), static_cast<int>(timeout_ms)) <= 0) return {};
  return {.readable = items[0].revents != 0, .woken = (items[1].revents & POLLIN) != 0};
}

int ServerSocket::fd() const noexcept {
  int fd = -1;
  std::size_t bytes = sizeof fd;
  zmq_getsockopt(handle_, ZMQ_FD, &fd, &bytes);
  return fd;
}

}  // namespace kantrig::wire
