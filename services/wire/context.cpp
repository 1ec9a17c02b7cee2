#include "wire/context.hpp"

#include <zmq.h>

#include <limits>
#include <utility>

namespace kantrig::wire {

Result<Context> Context::create(std::uint32_t io_threads) {
  if (io_threads == 0 || io_threads > static_cast<std::uint32_t>(std::numeric_limits<int>::max())) {
    return fail(ErrorCode::kInvalid, "ZeroMQ context: {} I/O threads, expected at least 1", io_threads);
  }
  void* handle = zmq_ctx_new();
  if (handle == nullptr) return fail(ErrorCode::kIo, "ZeroMQ context: {}", zmq_strerror(zmq_errno()));
  Context context(handle);
  if (zmq_ctx_set(handle, ZMQ_IO_THREADS, static_cast<int>(io_threads)) != 0) {
    return fail(ErrorCode::kIo, "ZeroMQ context: {} I/O threads: {}", io_threads, zmq_strerror(zmq_errno()));
  }
  return context;
}

Context::Context(Context&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Context& Context::operator=(Context&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Context::~Context() {
  if (handle_ != nullptr) zmq_ctx_term(handle_);
}

}  // namespace kantrig::wire
