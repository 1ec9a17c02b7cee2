#include "apps/kantrigd/daemon_options.hpp"

#include <filesystem>

#include <fmt/core.h>

namespace kantrig::apps {
namespace {

/// Of a shard with a card: enough to fill its slots, and to read on while they are away.
constexpr std::uint32_t kBatchesUnderWay = 32;

backend::Kind backend_kind(const std::string& name) {
  if (name == "card") return backend::Kind::kCard;
  return name == "rtl_sim" ? backend::Kind::kRtlSim : backend::Kind::kCpu;
}

}  // namespace

base::LogLevel log_level(const std::string& name) {
  if (name == "debug") return base::LogLevel::kDebug;
  if (name == "warn") return base::LogLevel::kWarn;
  if (name == "error") return base::LogLevel::kError;
  return base::LogLevel::kInfo;
}

pipeline::ShardOptions shard_options(const settings::Settings& s, const Cards& cards, std::uint32_t index) {
  pipeline::ShardOptions options;
  options.index = index;
  options.shard_count = s.events.shards;
  options.socket.endpoints = settings::shard_endpoints(s.events, index);
  // High-water marks count messages and stand above any credit: a fuse, never the valve.
  options.socket.receive_hwm = s.events.credit_batches * 2;
  options.socket.send_hwm = s.events.credit_batches * 2;
  // A frame too large is answered and counted; what is far too large, the socket cuts before it takes memory.
  options.socket.message_bytes_max = s.events.payload_bytes_max * 2;
  options.frame_bytes_max = s.events.payload_bytes_max;
  options.socket.kernel_buffer_bytes = s.events.socket_buffer_bytes;
  for (std::uint32_t i = 0; i < s.events.shards; ++i) {
    options.owner_endpoints.push_back(settings::shard_endpoints(s.events, i).front());
  }
  options.ledger_file = std::filesystem::path(s.ledger.state_directory) / fmt::format("ledger-{}.bin", index);
  options.ledger = {.lanes_max = s.events.lanes_max,
                    .batches_kept = s.events.credit_batches,
                    .answer_bytes_kept = static_cast<std::uint32_t>(s.events.answer_bytes_kept)};
  options.events_per_batch_max = s.events.batch_events_max;
  options.seat = cards.seat(index);
  if (options.seat != nullptr) options.batches_under_way = kBatchesUnderWay;
  options.sources = s.events.sources;
  options.credit = {
      .events = s.events.credit_events, .bytes = s.events.credit_bytes, .batches = s.events.credit_batches};
  options.heartbeat_interval_ms = s.events.heartbeat_interval_ms;
  options.lane_timeout_ns = std::uint64_t{s.events.lane_timeout_ms} * 1'000'000;
  options.unsent_answers_max = s.events.unsent_answers_max;
  options.busy_poll = s.threads.busy_poll;
  options.spin_ns = std::uint64_t{s.threads.spin_us} * 1'000;
  return options;
}

control::RegistryOptions registry_options(const settings::Settings& s, const Cards& cards) {
  control::RegistryOptions options;
  options.repository = s.model.repository;
  options.signatures = {s.model.require_signature, s.model.public_keys};
  options.backend = {.kind = backend_kind(s.backend.kind),
                     .kernel_set = s.model.kernel_set,
                     .rtl_sim_library = s.backend.rtl_sim_library,
                     .seats = cards.seats()};
  return options;
}

control::ControllerOptions controller_options(const settings::Settings& s) {
  control::ControllerOptions options;
  options.state_file = std::filesystem::path(s.ledger.state_directory) / "state.json";
  options.model = s.model.active;
  options.menu_file = s.menu.file;
  options.column = s.menu.column;
  options.run_at_start = s.run.autostart;
  options.block_seconds = s.ledger.block_seconds;
  options.drain_timeout_ms = s.stop.drain_timeout_ms;
  return options;
}

}  // namespace kantrig::apps
