#include "apps/kantrig/bench/load.hpp"

#include <zmq.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.hpp"

namespace kantrig::apps {
namespace {

constexpr int kAnswerTimeoutMs = 10'000;
constexpr std::uint64_t kDecodeEvery =
    64;  // answers read whole: all would burden the client of one server only

tl::unexpected<Error> zmq_error(std::string_view action) {
  return fail(ErrorCode::kIo, "benchmark: cannot {}: {}", action, zmq_strerror(errno));
}

void keep(void*, void*) {}  // the payload is the caller's

/// One frame, from memory that outlives the benchmark.
bool send_borrowed(void* socket, const std::vector<std::byte>& bytes) {
  zmq_msg_t frame;
  zmq_msg_init_data(&frame, const_cast<std::byte*>(bytes.data()), bytes.size(), keep, nullptr);
  return zmq_msg_send(&frame, socket, 0) >= 0;
}

}  // namespace

int run_echo_server(const std::string& endpoint) {
  void* context = zmq_ctx_new();
  void* socket = zmq_socket(context, ZMQ_ROUTER);
  const int high_water_mark = 100'000;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
  zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark);
  if (zmq_bind(socket, endpoint.c_str()) != 0) return 1;
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  while (zmq_msg_recv(&frame, socket, 0) >= 0) {
    const int more = zmq_msg_more(&frame);
    if (zmq_msg_send(&frame, socket, more != 0 ? ZMQ_SNDMORE : 0) < 0) break;
  }
  return 0;  // SIGTERM ends the process before
}

Result<Load> Load::connect(void* zmq_context, const std::string& endpoint, Server server,
                           std::uint32_t lane) {
  void* socket = zmq_socket(zmq_context, ZMQ_DEALER);
  if (socket == nullptr) return zmq_error("make a socket");
  Load load(socket, server, lane);
  const int high_water_mark = 100'000;
  const int no_linger = 0;
  const int timeout_ms = kAnswerTimeoutMs;
  const int reconnect_ms = 10;
  zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
  zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark);
  zmq_setsockopt(socket, ZMQ_LINGER, &no_linger, sizeof no_linger);
  zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
  zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &reconnect_ms, sizeof reconnect_ms);
  if (zmq_connect(socket, endpoint.c_str()) != 0) return zmq_error("connect to " + endpoint);
  if (server == Server::kDaemon) {
    if (auto greeted = load.greet(); !greeted) return tl::unexpected<Error>(greeted.error());
  }
  return load;
}

Load::Load(Load&& other) noexcept
    : socket_(std::exchange(other.socket_, nullptr)),
      server_(other.server_),
      lane_(other.lane_),
      sequence_(other.sequence_),
      answered_(other.answered_),
      events_sent_(other.events_sent_),
      decoder_(std::move(other.decoder_)) {}

Load::~Load() {
  if (socket_ != nullptr) zmq_close(socket_);
}

Result<void> Load::greet() {
  std::array<std::byte, wire::kClientMessageBytesMax> bytes{};
  wire::Hello hello;
  hello.protocol_version = wire::kProtocol;
  hello.source = SourceId{1};
  hello.lane = LaneId{lane_};
  hello.instance = base::SystemClock().unix_ns();
  const std::size_t n = wire::encode_hello(hello, bytes);
  if (zmq_send(socket_, bytes.data(), n, 0) < 0) return zmq_error("send a Hello");
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  bool may_send = false;  // welcome, and given credit: a daemon that starts gives it with the run
  while (!may_send) {
    if (zmq_msg_recv(&frame, socket_, 0) < 0) return zmq_error("get a Welcome");
    const auto& message =
        decoder_.decode({static_cast<const std::byte*>(zmq_msg_data(&frame)), zmq_msg_size(&frame)});
    if (message.kind == wire::ServerMessageKind::kCredit) may_send = message.credit.events > 0;
    if (message.kind != wire::ServerMessageKind::kWelcome) continue;
    if (message.welcome.reason != wire::Reason::kNone) {
      return fail(ErrorCode::kBusy, "benchmark: not welcome: {}", message.welcome.detail);
    }
    sequence_ = message.welcome.next_sequence.value;
    may_send = message.welcome.credit.events > 0;
  }
  zmq_msg_close(&frame);
  answered_ = sequence_ - 1;
  return {};
}

Result<void> Load::send_batch(const LoadShape& shape) {
  wire::BatchHeader header;
  header.protocol_version = wire::kProtocol;
  header.source = SourceId{1};
  header.lane = LaneId{lane_};
  header.sequence = Sequence{sequence_};
  header.first_event_id = events_sent_;
  header.event_count = shape.batch_events;
  header.feature_count = shape.feature_count;
  header.encoding = shape.encoding;
  std::array<std::byte, wire::kClientMessageBytesMax> bytes{};
  const std::size_t n = wire::encode_header(header, bytes);
  if (zmq_send(socket_, bytes.data(), n, ZMQ_SNDMORE) < 0 || !send_borrowed(socket_, shape.payload)) {
    return zmq_error("send a batch");
  }
  ++sequence_;
  events_sent_ += shape.batch_events;
  return {};
}

Result<void> Load::take_answer() {
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  if (zmq_msg_recv(&frame, socket_, 0) < 0) return zmq_error("get an answer");
  ++answered_;
  if (server_ == Server::kDaemon && answered_ % kDecodeEvery == 0) {
    const auto& message =
        decoder_.decode({static_cast<const std::byte*>(zmq_msg_data(&frame)), zmq_msg_size(&frame)});
    if (message.kind != wire::ServerMessageKind::kDecision ||
        message.decision.reason != wire::Reason::kNone || message.decision.sequence.value != answered_) {
      zmq_msg_close(&frame);
      return fail(ErrorCode::kCorrupt, "benchmark: expected the decision of batch {}, got something else: {}",
                  answered_, message.decision.detail);
    }
  }
  while (zmq_msg_more(&frame) != 0) {
    if (zmq_msg_recv(&frame, socket_, 0) < 0) return zmq_error("get an answer");
  }
  zmq_msg_close(&frame);
  return {};
}

Result<double> Load::throughput(const LoadShape& shape, std::uint64_t duration_ns) {
  const base::SystemClock clock;
  const std::uint64_t start_ns = clock.now_ns();
  std::uint64_t in_flight = 0;
  std::uint64_t batches = 0;
  for (std::uint64_t now_ns = start_ns; now_ns - start_ns < duration_ns || in_flight > 0;
       now_ns = clock.now_ns()) {
    const bool sending = now_ns - start_ns < duration_ns;
    while (sending && in_flight < shape.window) {
      if (auto ok = send_batch(shape); !ok) return tl::unexpected<Error>(ok.error());
      ++in_flight;
    }
    if (auto ok = take_answer(); !ok) return tl::unexpected<Error>(ok.error());
    --in_flight;
    ++batches;
  }
  const double seconds = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  return static_cast<double>(batches) * shape.batch_events / seconds;
}

Result<std::vector<std::uint64_t>> Load::lock_step(const LoadShape& shape, std::uint32_t count) {
  const base::SystemClock clock;
  std::vector<std::uint64_t> times;
  times.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t start_ns = clock.now_ns();
    if (auto ok = send_batch(shape); !ok) return tl::unexpected<Error>(ok.error());
    if (auto ok = take_answer(); !ok) return tl::unexpected<Error>(ok.error());
    times.push_back(clock.now_ns() - start_ns);
  }
  std::ranges::sort(times);
  return times;
}

}  // namespace kantrig::apps
