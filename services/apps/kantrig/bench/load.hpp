// Load: a plain DEALER that keeps a window of batches in flight, the same for the echo and for the daemon, so
// that what differs in the figures is the server alone. It speaks ZeroMQ directly: it is the yardstick, not a
// client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "wire/client_codec.hpp"
#include "wire/messages.hpp"

namespace kantrig::apps {

/// Sends back every message as it came, until SIGTERM. Returns an exit code.
int run_echo_server(const std::string& endpoint);

struct LoadShape {
  wire::Encoding encoding = wire::Encoding::kCode8;
  std::uint32_t batch_events = 0;
  std::uint32_t feature_count = 0;
  std::uint32_t window = 1;        // batches in flight
  std::vector<std::byte> payload;  // of every batch
};

class Load {
 public:
  enum class Server : std::uint8_t { kEcho, kDaemon };

  /// Connects; with the daemon, says Hello and takes what Welcome says. Fails after 10 s without an answer.
  [[nodiscard]] static Result<Load> connect(void* zmq_context, const std::string& endpoint, Server server,
                                            std::uint32_t lane);
  Load(Load&& other) noexcept;
  Load& operator=(Load&&) = delete;
  ~Load();

  /// Runs for `duration_ns`, then takes the answers that are left. Returns events per second.
  [[nodiscard]] Result<double> throughput(const LoadShape& shape, std::uint64_t duration_ns);
  /// One batch at a time, `count` times. Returns round-trip times in ns, sorted.
  [[nodiscard]] Result<std::vector<std::uint64_t>> lock_step(const LoadShape& shape, std::uint32_t count);

 private:
  Load(void* socket, Server server, std::uint32_t lane) : socket_(socket), server_(server), lane_(lane) {}
  [[nodiscard]] Result<void> greet();
  [[nodiscard]] Result<void> send_batch(const LoadShape& shape);
  [[nodiscard]] Result<void> take_answer();

  void* socket_ = nullptr;
  Server server_;
  std::uint32_t lane_;
  std::uint64_t sequence_ = 1;  // of the next batch
  std::uint64_t answered_ = 0;
  std::uint64_t events_sent_ = 0;
  wire::ServerDecoder decoder_;
};

}  // namespace kantrig::apps
