#include "wire/control_channel.hpp"

#include "wire/ipc_path.hpp"

#include <zmq.h>

#include <chrono>

namespace kantrig::wire {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// A socket that closes itself.
struct DealerSocket {
  explicit DealerSocket(Context& context) : handle(zmq_socket(context.handle(), ZMQ_DEALER)) {}
  ~DealerSocket() {
    if (handle != nullptr) zmq_close(handle);
  }
  DealerSocket(const DealerSocket&) = delete;
  DealerSocket& operator=(const DealerSocket&) = delete;
  void* handle;
};

bool configure(void* socket) noexcept {
  const int linger_ms = 0;
  const std::int64_t bytes_max = kControlMessageBytesMax;
  return zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms) == 0 &&
         zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max) == 0;
}

/// Waits for a frame until `deadline`. False at the deadline.
bool receive_until(void* socket, Frame& frame, SteadyClock::time_point deadline) noexcept {
  for (;;) {
    if (zmq_msg_recv(static_cast<zmq_msg_t*>(frame.handle()), socket, ZMQ_DONTWAIT) >= 0) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    zmq_pollitem_t item{socket, 0, ZMQ_POLLIN, 0};
    zmq_poll(&item, 1, static_cast<long>(left));
  }
}

}  // namespace

Result<ControlServer> ControlServer::bind(Context& context, std::string endpoint) {
  ServerSocketOptions options;
  options.endpoints = {std::move(endpoint)};
  options.message_bytes_max = kControlMessageBytesMax;
  options.receive_hwm = 16;  // one caller has one request under way
  options.send_hwm = 16;
  options.linger_ms = 1'000;  // the reply to the request that stops the daemon
  auto socket = ServerSocket::bind(context, options);
  if (!socket) return tl::unexpected<Error>(socket.error().within("control socket"));
  return ControlServer(std::move(*socket));
}

bool ControlServer::receive(ControlCall& call) {
  constexpr int kSkippedMax = 64;
  for (int i = 0; i < kSkippedMax; ++i) {
    if (!socket_.receive(message_)) return false;
    if (message_.frames().size() != 1) continue;
    const auto request = message_.frames().front();
    call.from = message_.identity();
    call.request.assign(reinterpret_cast<const char*>(request.data()), request.size());
    message_.clear();
    return true;
  }
  return false;
}

bool ControlServer::reply(const Identity& to, std::string_view reply) noexcept {
  return socket_.send(to, std::as_bytes(std::span(reply))) == SendResult::kSent;
}

Result<std::string> ControlClient::request(std::string_view request, std::uint32_t timeout_ms) {
  if (ipc_state(endpoint_) == IpcState::kFree) {
    return fail(ErrorCode::kIo, "{}: nobody serves this endpoint: is kantrigd running?", endpoint_);
  }
  DealerSocket socket(*context_);
  if (socket.handle == nullptr || !configure(socket.handle) ||
      zmq_connect(socket.handle, endpoint_.c_str()) != 0) {
    return fail(ErrorCode::kIo, "{}: cannot connect: {}", endpoint_, zmq_strerror(zmq_errno()));
  }
  if (zmq_send(socket.handle, request.data(), request.size(), ZMQ_DONTWAIT) < 0) {
    return fail(ErrorCode::kIo, "{}: cannot send: {}", endpoint_, zmq_strerror(zmq_errno()));
  }
  Frame reply;
  if (!receive_until(socket.handle, reply, SteadyClock::now() + std::chrono::milliseconds(timeout_ms))) {
    return fail(ErrorCode::kTimeout, "{}: no reply within {} ms: is kantrigd running and not stuck?",
                endpoint_, timeout_ms);
  }
  const auto bytes = reply.bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace kantrig::wire
