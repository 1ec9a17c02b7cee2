#include "wire/frame.hpp"

#include <zmq.h>

#include <cstring>

namespace kantrig::wire {
namespace {

zmq_msg_t* message(std::array<std::byte, 64>& storage) noexcept {
  static_assert(sizeof(zmq_msg_t) == sizeof storage && alignof(zmq_msg_t) <= alignof(void*));
  return reinterpret_cast<zmq_msg_t*>(storage.data());
}

}  // namespace

Frame::Frame() noexcept {
  zmq_msg_init(message(storage_));
}

Frame Frame::with_size(std::size_t bytes) noexcept {
  Frame frame;
  if (zmq_msg_init_size(message(frame.storage_), bytes) != 0) zmq_msg_init(message(frame.storage_));
  return frame;
}

Frame Frame::copy_of(std::span<const std::byte> bytes) noexcept {
  Frame frame = with_size(bytes.size());
  const std::span<std::byte> room = frame.writable();
  if (room.size() == bytes.size() && !bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
  return frame;
}

Frame Frame::borrowed(std::span<const std::byte> bytes, Release release, void* hint) noexcept {
  Frame frame;
  auto* data = const_cast<std::byte*>(bytes.data());  // ZeroMQ only reads it
  if (zmq_msg_init_data(message(frame.storage_), data, bytes.size(), release, hint) != 0) {
    zmq_msg_init(message(frame.storage_));
    release(data, hint);
  }
  return frame;
}

Frame::Frame(Frame&& other) noexcept : Frame() {
  zmq_msg_move(message(storage_), message(other.storage_));
}

Frame& Frame::operator=(Frame&& other) noexcept {
  if (this != &other) zmq_msg_move(message(storage_), message(other.storage_));
  return *this;
}

Frame::~Frame() {
  zmq_msg_close(message(storage_));
}

Frame Frame::shared() const noexcept {
  Frame copy;
  zmq_msg_copy(message(copy.storage_), message(storage_));
  return copy;
}

std::span<const std::byte> Frame::bytes() const noexcept {
  return {static_cast<const std::byte*>(zmq_msg_data(message(storage_))), zmq_msg_size(message(storage_))};
}

std::span<std::byte> Frame::writable() noexcept {
  return {static_cast<std::byte*>(zmq_msg_data(message(storage_))), zmq_msg_size(message(storage_))};
}

void Frame::clear() noexcept {
  zmq_msg_close(message(storage_));
  zmq_msg_init(message(storage_));
}

}  // namespace kantrig::wire
