// Settings: the configuration of kantrigd. What each key means, its bounds and its sentence: keys.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kantrig::settings {

struct EventsSettings {
  std::vector<std::string> endpoints = {"ipc:///run/kantrig/events"};
  std::uint32_t io_threads = 1;
  std::uint32_t shards = 1;
  std::uint32_t batch_events_max = 16'384;
  std::uint64_t payload_bytes_max = 16ULL << 20U;
  std::vector<std::uint32_t> sources;  // empty: any
  std::uint32_t credit_events = 262'144;
  std::uint64_t credit_bytes = 64ULL << 20U;
  std::uint32_t credit_batches = 1'024;
  std::uint32_t lanes_max = 64;
  std::uint64_t answer_bytes_kept = 4ULL << 20U;
  std::uint32_t heartbeat_interval_ms = 1'000;
  std::uint32_t lane_timeout_ms = 5'000;
  std::uint32_t unsent_answers_max = 2'048;
  std::uint32_t socket_buffer_bytes = 0;  // 0: what the system gives
};

struct ThreadsSettings {
  std::vector<std::vector<std::uint32_t>> shard_cpus;  // empty: anywhere; else one list a shard
  std::uint32_t realtime_priority = 0;                 // 0: the ordinary scheduling class
  bool lock_memory = false;
  bool busy_poll = false;
  std::uint32_t spin_us = 0;
};

struct ModelSettings {
  std::string repository = "/var/lib/kantrig/models";
  std::string active = "jets-1.1.0";
  std::string kernel_set = "auto";
  bool require_signature = false;
  std::string public_keys;  // empty: none
};

struct BackendSettings {
  std::string kind = "cpu";
  std::string rtl_sim_library;  // empty: none
};

struct CardSettings {
  std::vector<std::string> sockets;  // empty: none
  std::string route = "auto";
  std::uint32_t slots = 8;  // of each shard
  std::uint64_t slot_bytes = 1ULL << 20U;
  std::uint32_t join_us = 50;
  std::uint32_t deadline_us = 20'000;
  double cross_check = 0.01;
  std::uint32_t canary_ms = 1'000;
  std::uint32_t retry_min_ms = 250;
  std::uint32_t retry_max_ms = 30'000;
  std::uint32_t load_timeout_ms = 60'000;
};

struct MenuSettings {
  std::string file = "/etc/kantrig/menu.toml";
  std::string column;  // empty: the menu's default
};

struct LedgerSettings {
  std::string state_directory = "/var/lib/kantrig";
  std::uint32_t block_seconds = 60;
};

struct RunSettings {
  bool autostart = true;
};

struct ControlSettings {
  std::string endpoint = "ipc:///run/kantrig/control";
};

struct TelemetrySettings {
  std::string listen = "127.0.0.1:9464";
};

struct LogSettings {
  std::string level = "info";
};

struct StopSettings {
  std::uint32_t drain_timeout_ms = 10'000;
};

/// One value per key; a default-made one is what an empty file gives. Plain data, safe to copy between
/// threads.
struct Settings {
  EventsSettings events;
  ThreadsSettings threads;
  ModelSettings model;
  BackendSettings backend;
  CardSettings card;
  MenuSettings menu;
  LedgerSettings ledger;
  RunSettings run;
  ControlSettings control;
  TelemetrySettings telemetry;
  LogSettings log;
  StopSettings stop;
};

/// Defaults, then `file`, then each "section.key=value" of `overrides` in order, then check(). A value of an
/// override is TOML; text keys and lists of text also take the bare text
/// (control.endpoint=ipc:///tmp/control). The error names the file or override, the key and what was
/// expected.
[[nodiscard]] Result<Settings> load(const std::optional<std::filesystem::path>& file,
                                    std::span<const std::string> overrides);

/// The same from text; `origin` names it in errors.
[[nodiscard]] Result<Settings> parse(std::string_view text, std::string_view origin,
                                     std::span<const std::string> overrides = {});

/// Every bound, and every pair of keys that could contradict each other.
[[nodiscard]] Result<void> check(const Settings& settings);

/// The effective configuration as TOML, each key with its sentence, bounds and default as comments. parse()
/// reads it back to the same settings.
[[nodiscard]] std::string print(const Settings& settings);

/// The keys in which two settings differ, as "section.key": what a reload would change.
[[nodiscard]] std::vector<std::string> changed_keys(const Settings& before, const Settings& after);

/// The endpoints of one shard. Shard 0 has those configured; shard i appends "-i" to an ipc path and adds i
/// to a tcp port ("*", any free port, stays). Precondition: check() passed and shard < settings.shards.
[[nodiscard]] std::vector<std::string> shard_endpoints(const EventsSettings& settings, std::uint32_t shard);

}  // namespace kantrig::settings
