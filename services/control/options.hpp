// What the daemon's configuration decides for this folder. Each struct's user says what it does with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "backend/backend.hpp"
#include "kan/bundle.hpp"

namespace kantrig::control {

struct RegistryOptions {
  std::filesystem::path repository;     // folder of bundles, each <name>-<version>/
  kan::SignaturePolicy signatures;      // what a bundle needs to be loaded
  backend::Options backend;             // that models are prepared for
  std::uint32_t loaded_models_max = 8;  // 4..64: active, previous, shadow and those that wait
};

struct ControllerOptions {
  std::filesystem::path state_file;  // what is on, kept across restarts: state.json in the state directory
  std::string model;                 // <name>-<version> to start with
  std::filesystem::path menu_file;   // menu to start with
  std::string column;                // prescale column to start with; empty: the menu's default
  bool run_at_start = false;         // start a run with the daemon unless it comes back to one
  std::uint32_t block_seconds = 60;  // 1..86400: longest block
  std::uint32_t adopt_timeout_ms = 2'000;  // 10..60000: all shards must have adopted a change by then
  std::uint32_t drain_timeout_ms =
      5'000;                      // 0..600000: how long clients may take to finish at the end of a run
  std::uint32_t poll_ms = 2;      // 1..100: between two looks at shards that are adopting
  std::uint32_t upkeep_ms = 100;  // 1..1000: between two looks at closed blocks and the block timer
  std::uint32_t changes_waiting_max = 16;  // 1..256: beyond, a request is refused as busy
};

struct ControlServerOptions {
  std::string endpoint = "ipc:///run/kantrig/control";
  std::uint32_t request_bytes_max = 1U << 20;  // 4096..16777216: a menu's text is the largest thing sent
  std::uint32_t requests_pending_max = 64;  // 1..4096: accepted and not yet answered; beyond, refused as busy
};

}  // namespace kantrig::control
