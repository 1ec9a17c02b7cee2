#include "client/connection.hpp"

#include <zmq.h>

#include <array>
#include <cstring>
#include <utility>

namespace kantrig::client {
namespace {

bool set_option(void* socket, int option, int value) noexcept {
  return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

bool set_options(void* socket, std::span<const std::byte> routing_id,
                 std::uint32_t kernel_buffer_bytes) noexcept {
  constexpr int kHwm = 100'000;  // above any credit: a fuse, not the valve
  const bool set = set_option(socket, ZMQ_IMMEDIATE, 1) && set_option(socket, ZMQ_LINGER, 0) &&
                   set_option(socket, ZMQ_RECONNECT_IVL, 10) &&
                   set_option(socket, ZMQ_RECONNECT_IVL_MAX, 1000) && set_option(socket, ZMQ_SNDHWM, kHwm) &&
                   set_option(socket, ZMQ_RCVHWM, kHwm) &&
                   zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id.data(), routing_id.size()) == 0;
  if (kernel_buffer_bytes == 0) return set;
  const int bytes = static_cast<int>(kernel_buffer_bytes);
  return set && set_option(socket, ZMQ_SNDBUF, bytes) && set_option(socket, ZMQ_RCVBUF, bytes);
}

void close(void*& socket) noexcept {
  if (socket != nullptr) zmq_close(std::exchange(socket, nullptr));
}

}  // namespace

Result<Connection> Connection::open(wire::Context& context, const std::string& endpoint,
                                    std::span<const std::byte> routing_id,
                                    std::uint32_t kernel_buffer_bytes) {
  Connection connection;
  connection.endpoint_ = endpoint;
  connection.dealer_ = zmq_socket(context.handle(), ZMQ_DEALER);
  connection.monitor_ = zmq_socket(context.handle(), ZMQ_PAIR);
  void* dealer = connection.dealer_;
  if (dealer == nullptr || connection.monitor_ == nullptr) {
    return fail(ErrorCode::kIo, "{}: cannot make a socket: {}", endpoint, zmq_strerror(zmq_errno()));
  }
  const std::string monitor_endpoint = fmt::format("inproc://kantrig-monitor-{}", static_cast<void*>(dealer));
  const bool ready = set_options(dealer, routing_id, kernel_buffer_bytes) &&
                     set_option(connection.monitor_, ZMQ_LINGER, 0) &&
                     zmq_socket_monitor(dealer, monitor_endpoint.c_str(),
                                        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) == 0 &&
                     zmq_connect(connection.monitor_, monitor_endpoint.c_str()) == 0 &&
                     zmq_connect(dealer, endpoint.c_str()) == 0;
  if (!ready) {
    return fail(ErrorCode::kInvalid, "{}: cannot connect: {}, expected ipc://PATH or tcp://HOST:PORT",
                endpoint, zmq_strerror(zmq_errno()));
  }
  return connection;
}

Connection::Connection(Connection&& other) noexcept
    : dealer_(std::exchange(other.dealer_, nullptr)),
      monitor_(std::exchange(other.monitor_, nullptr)),
      endpoint_(std::move(other.endpoint_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(dealer_, other.dealer_);
  std::swap(monitor_, other.monitor_);
  std::swap(endpoint_, other.endpoint_);
  return *this;
}

Connection::~Connection() {
  if (dealer_ != nullptr) zmq_socket_monitor(dealer_, nullptr, 0);
  close(monitor_);
  close(dealer_);
}

bool Connection::send(std::span<const std::byte> bytes) noexcept {
  return zmq_send(dealer_, bytes.data(), bytes.size(), ZMQ_DONTWAIT) >= 0;
}

bool Connection::send(std::span<const std::byte> header, const wire::Frame& payload) noexcept {
  if (zmq_send(dealer_, header.data(), header.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) return false;
  wire::Frame copy = payload.shared();
  // After a first frame the second is always taken: a pipe has room for whole messages.
  return zmq_msg_send(static_cast<zmq_msg_t*>(copy.handle()), dealer_, ZMQ_DONTWAIT) >= 0;
}

bool Connection::receive(wire::Frame& frame) noexcept {
  auto* message = static_cast<zmq_msg_t*>(frame.handle());
  if (zmq_msg_recv(message, dealer_, ZMQ_DONTWAIT) < 0) return false;
  if (zmq_msg_more(message) == 0) return true;
  while (zmq_msg_more(message) != 0 && zmq_msg_recv(message, dealer_, ZMQ_DONTWAIT) >= 0) {
  }
  frame.clear();  // reads as malformed
  return true;
}

bool Connection::lost() noexcept {
  bool lost = false;
  std::array<std::byte, 512> room{};
  while (zmq_recv(monitor_, room.data(), room.size(), ZMQ_DONTWAIT) >=
         2) {  // two events a reconnect, at 10 ms or more
    std::uint16_t event = 0;
    std::memcpy(&event, room.data(), sizeof event);
    lost = lost || event == ZMQ_EVENT_DISCONNECTED;
    zmq_recv(monitor_, room.data(), room.size(), ZMQ_DONTWAIT);  // the address
  }
  return lost;
}

void Connection::wait(std::uint32_t timeout_ms, bool for_room) noexcept {
  const auto interest = static_cast<short>(for_room ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
  std::array<zmq_pollitem_t, 2> items{{{dealer_, 0, interest, 0}, {monitor_, 0, ZMQ_POLLIN, 0}}};
  zmq_poll(items.data(), 2, static_cast<long>(timeout_ms));
}

}  // namespace kantrig::client
