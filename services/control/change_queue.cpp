#include "control/change_queue.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::control {
namespace {

std::string name_or_empty(const ModelPointer& model) {
  return model ? model->bundle.full_name() : std::string();
}

/// Numbers the block that begins with `next`, and remembers it as the last of its kind.
void number_block(pipeline::Conditions& next, const PersistedState& before, PersistedState& after) {
  if (next.run.value == 0) {
    next.block = after.idle_block = {before.idle_block.value + 1};
  } else {
    next.block = after.block = {next.run == before.run ? before.block.value + 1 : 1};
  }
}

PersistedState describe(Composition& next, const PersistedState& before) {
  PersistedState state = before;
  pipeline::Conditions& conditions = next.conditions;
  number_block(conditions, before, state);
  state.generation = conditions.generation;
  state.model = name_or_empty(conditions.model);
  state.previous = name_or_empty(next.previous);
  state.shadow = name_or_empty(conditions.shadow);
  state.menu_text = conditions.menu->text();
  state.menu_origin = next.menu_origin;
  state.column = conditions.menu->columns()[conditions.column];
  state.run = conditions.run;
  return state;
}

}  // namespace

ChangeQueue::ChangeQueue(Parts parts, const ControllerOptions& options)
    : clock_(parts.clock),
      log_(parts.log),
      state_file_(options.state_file),
      adopt_timeout_ms_(options.adopt_timeout_ms),
      waiting_max_(options.changes_waiting_max),
      adoption_(parts.io, parts.clock, std::move(parts.shards), options.poll_ms) {}

Error ChangeQueue::busy(const std::string& what) const {
  if (!late())
    return {ErrorCode::kBusy,
            fmt::format("{}: {} changes are waiting, the most allowed; try again", what, waiting_max_)};
  return {ErrorCode::kBusy,
          fmt::format("{}: not adopted yet by {}: {}; nothing else can be changed until then", what,
                      adoption_.missing(), running_.what)};
}

void ChangeQueue::push(Change change) {
  if (late() || waiting_.size() >= waiting_max_) {
    change.done(tl::unexpected(busy(change.what)));
    return;
  }
  waiting_.push_back(std::move(change));
  run_next();
}

Result<Composed> ChangeQueue::prepare(const Change& change, Composition& next) {
  if (auto composed = change.compose(next); !composed || *composed == Composed::kUnchanged) return composed;
  next.conditions.closes_previous = change.closes;
  PersistedState state = describe(next, persisted_);
  // Before any shard knows of it: a daemon killed between here and the adoption gives no number twice.
  if (auto written = write_state(state_file_, state); !written) return tl::unexpected(written.error());
  persisted_ = std::move(state);
  return Composed::kChanged;
}

void ChangeQueue::run_next() {
  while (!adoption_.active() && !waiting_.empty()) {
    running_ = std::move(waiting_.front());
    waiting_.pop_front();
    next_ = now_;
    const Result<Composed> prepared = prepare(running_, next_);
    if (!prepared || *prepared == Composed::kUnchanged) {
      // Moved out first: whoever is told may push, and so overwrite running_.
      const Change ended = std::exchange(running_, {});
      ended.done(prepared ? Result<void>() : tl::unexpected(prepared.error().within(ended.what)));
      continue;
    }
    next_.block_start_ns = clock_.now_ns();
    adoption_.begin(
        std::make_shared<const pipeline::Conditions>(next_.conditions), adopt_timeout_ms_,
        {.adopted = [this] { finish(); }, .late = [this](const Error& error) { report_late(error); }});
  }
}

void ChangeQueue::finish() {
  now_ = std::move(next_);
  const Change finished = std::exchange(running_, {});
  if (finished.adopted) finished.adopted();
  if (finished.done) finished.done({});  // not when it was told of lateness
  run_next();
}

void ChangeQueue::report_late(const Error& error) {
  log_.error("change is late", {{"change", running_.what}, {"missing", adoption_.missing()}});
  for (const Change& change : std::exchange(waiting_, {})) change.done(tl::unexpected(busy(change.what)));
  if (const auto done = std::exchange(running_.done, nullptr)) {
    done(tl::unexpected(error.within(running_.what + ": it stands, and is complete when they answer")));
  }
}

}  // namespace kantrig::control
