// Status: what the daemon is doing, for operators, health checks and metrics.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "control/model_registry.hpp"
#include "ledger/shard_ledger.hpp"
#include "menu/menu.hpp"

namespace kantrig::control {

/// In the order of a daemon's life; idle and running alternate.
enum class DaemonState : std::uint8_t {
  kStarting,  // no shard decides yet, or the run that comes with the start is not on yet
  kIdle,      // no run is on
  kRunning,
  kDraining,  // clients finish what they have sent: the end of a run, or of the daemon
};
[[nodiscard]] std::string_view name_of(DaemonState state) noexcept;

struct Status {
  DaemonState state = DaemonState::kStarting;
  std::uint64_t start_unix_ns = 0;
  RunNumber run;  // 0: none is on
  BlockNumber block;
  Generation generation;
  std::optional<ModelInfo> active;
  std::optional<ModelInfo> previous;
  std::optional<ModelInfo> shadow;
  std::shared_ptr<const menu::Menu> menu;  // empty while starting
  std::uint32_t column = 0;
  std::string backend;
  std::string kernel_set;
  std::uint32_t shard_count = 0;
  std::uint32_t lane_count = 0;
  ledger::Counts run_counts;  // of the run that is on: blocks in the record, waiting and open
  std::vector<ledger::LineCounts>
      lines;                    // of that run, by line of `menu`; blocks under other menus are not in it
  ledger::Counts total_counts;  // since the ledger was made
  std::uint64_t batches_total = 0;
  std::uint64_t live_ns = 0;
  std::uint64_t busy_ns = 0;
  std::uint64_t paused_ns = 0;
};

}  // namespace kantrig::control
