#include "control/status.hpp"

#include <algorithm>

#include "control/controller.hpp"

namespace kantrig::control {
namespace {

void add_lines(const ledger::BlockCounts& block, std::vector<ledger::LineCounts>& lines) {
  for (std::size_t l = 0; l < lines.size(); ++l) {
    lines[l].before_prescale += block.lines[l].before_prescale;
    lines[l].after_prescale += block.lines[l].after_prescale;
    lines[l].after_veto += block.lines[l].after_veto;
  }
}

/// Enters what is already in the record of the run.
void add_recorded(const ledger::RunSummary& summary, Status& status) {
  status.run_counts += summary.totals;
  const auto names = status.menu->lines();
  for (std::size_t l = 0; l < names.size(); ++l) {
    const auto total =
        std::ranges::find(summary.lines, names[l].name, [](const auto& line) { return line.label.name; });
    if (total != summary.lines.end()) status.lines[l] = total->counts;
  }
}

/// Enters one block of a shard's books that is not in the record yet.
void add_block(const ledger::BlockCounts& block, Status& status) {
  if (block.key.run != status.run) return;
  status.run_counts += block.totals;
  if (block.key.menu_digest == status.menu->digest()) add_lines(block, status.lines);
}

/// The open block is read first: one that is closed meanwhile is then found among the closed ones, and
/// counted there.
void add_shard(ledger::ShardLedger& books, Status& status) {
  ledger::ShardLedger::Snapshot now;
  books.snapshot(now);
  status.total_counts += now.total.totals;
  status.batches_total += now.total.batches;
  status.live_ns += now.total.live_ns;
  status.busy_ns += now.total.busy_ns;
  status.paused_ns += now.total.paused_ns;
  status.lane_count += now.lanes;
  if (!status.menu || status.run.value == 0) return;
  bool closed_since = false;
  for (const auto& closed : books.closed_blocks()) {
    add_block(closed.counts, status);
    closed_since = closed_since || (closed.counts.key.run == now.block.key.run &&
                                    closed.counts.key.block == now.block.key.block);
  }
  if (!closed_since) add_block(now.block, status);
}

std::optional<ModelInfo> info_of(const ModelPointer& model, ModelState state, Generation generation) {
  if (!model) return std::nullopt;
  return ModelInfo{.name = model->bundle.full_name(),
                   .digest = model->bundle.digest,
                   .state = state,
                   .reason = {},
                   .generation = generation};
}

}  // namespace

std::string_view name_of(DaemonState state) noexcept {
  switch (state) {
    case DaemonState::kStarting:
      return "starting";
    case DaemonState::kIdle:
      return "idle";
    case DaemonState::kRunning:
      return "running";
    case DaemonState::kDraining:
      return "draining";
  }
  return "unknown";
}

Status Controller::status() const {
  const Composition& now = changes_.now();
  Status status;
  status.state = state();
  status.start_unix_ns = start_unix_ns_;
  status.run = now.conditions.run;
  status.block = now.conditions.block;
  status.generation = now.conditions.generation;
  status.active = info_of(now.conditions.model, ModelState::kActive, now.conditions.generation);
  status.previous = info_of(now.previous, ModelState::kPrevious, {});
  status.shadow = info_of(now.conditions.shadow, ModelState::kShadow, {});
  status.menu = now.conditions.menu;
  status.column = now.conditions.column;
  status.shard_count = static_cast<std::uint32_t>(shards_.size());
  if (now.conditions.model) {
    status.backend = now.conditions.model->prepared->backend();
    status.kernel_set = now.conditions.model->prepared->evaluator().kernel_set();
  }
  if (status.menu) status.lines.resize(status.menu->lines().size());
  if (status.menu && status.run.value != 0) {
    if (const auto summary = runs_.summary(status.run)) add_recorded(*summary, status);
  }
  for (pipeline::ShardControl* shard : shards_) add_shard(shard->books(), status);
  return status;
}

}  // namespace kantrig::control
