// Controller::start: from the state file and the configuration to shards that decide.
#include "control/controller.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::control {
namespace {

/// The numbers to go on from. The books and the run records may know later ones than a state file that was
/// lost or put back, and the records know which run is on.
PersistedState last_known(const std::optional<PersistedState>& was, const ledger::RunBook& runs,
                          const Shards& shards) {
  PersistedState last = was.value_or(PersistedState{});
  const RunNumber run = runs.current();
  if (std::exchange(last.run, run) != run) last.block = {};
  if (run.value != 0) {
    if (const auto summary = runs.summary(run)) last.block = std::max(last.block, summary->last_block);
  }
  for (pipeline::ShardControl* shard : shards) {
    for (const auto& closed : shard->books().closed_blocks()) {
      const ledger::BlockKey& key = closed.counts.key;
      last.generation = std::max(last.generation, key.generation);
      if (key.run.value == 0) last.idle_block = std::max(last.idle_block, key.block);
      if (key.run.value != 0 && key.run == run) last.block = std::max(last.block, key.block);
    }
  }
  return last;
}

}  // namespace

void Controller::start(Done<void> done) {
  auto was = read_state(options_.state_file);
  if (!was) return done(tl::unexpected(was.error()));
  auto plan = plan_start(options_, *was);
  if (!plan) return done(tl::unexpected(plan.error()));
  PersistedState last = last_known(*was, runs_, shards_);
  last.configured = plan->configured;
  changes_.restore(std::move(last));
  load_active(std::make_shared<Startup>(Startup{std::move(*plan), {}, std::move(done)}));
}

void Controller::load_active(const std::shared_ptr<Startup>& startup) {
  registry_.load(startup->plan.model, [this, startup](const Result<ModelPointer>& loaded) {
    if (!loaded) {
      const std::string how = startup->plan.model_resumed
                                  ? fmt::format(
                                        "coming back to model {}, active when the daemon ended (put the "
                                        "bundle back, or move {} away "
                                        "to start as configured)",
                                        startup->plan.model, options_.state_file.string())
                                  : fmt::format("starting with model {}", startup->plan.model);
      return startup->done(tl::unexpected(loaded.error().within(how)));
    }
    startup->models.active = *loaded;
    load_others(startup, {startup->plan.previous, startup->plan.shadow});
  });
}

void Controller::load_others(const std::shared_ptr<Startup>& startup, std::vector<std::string> names) {
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (names.empty()) return put_on(startup);
  const std::string name = names.back();
  names.pop_back();
  registry_.load(name, [this, startup, name, rest = std::move(names)](const Result<ModelPointer>& loaded) {
    if (!loaded) {
      log_.warn("model not loaded again", {{"bundle", name}, {"reason", loaded.error().message}});
    } else {
      if (name == startup->plan.shadow) startup->models.shadow = *loaded;
      if (name == startup->plan.previous) startup->models.previous = *loaded;
    }
    load_others(startup, rest);
  });
}

Result<Composed> Controller::compose_first(const Startup& startup, Composition& next) {
  const StartPlan& plan = startup.plan;
  pipeline::Conditions& conditions = next.conditions;
  conditions.model = startup.models.active;
  auto menu = compile_menu(plan.menu, conditions.model->bundle);
  if (!menu) {
    return tl::unexpected(plan.menu_resumed ? menu.error().within("menu that was on when the daemon ended")
                                            : menu.error());
  }
  conditions.menu = std::move(*menu);
  conditions.column = conditions.menu->default_column();
  if (!plan.column.empty()) {
    const auto index = conditions.menu->column_index(plan.column);
    if (!index) return tl::unexpected(index.error());
    conditions.column = *index;
  }
  if (startup.models.shadow) {
    if (auto shadow_menu = compile_menu(plan.menu, startup.models.shadow->bundle)) {
      conditions.shadow = startup.models.shadow;
      conditions.shadow_menu = std::move(*shadow_menu);
    }
  }
  next.previous = startup.models.previous;
  next.menu_origin = plan.menu.origin;
  conditions.generation = {changes_.persisted().generation.value + 1};
  conditions.run = changes_.persisted().run;
  return Composed::kChanged;
}

void Controller::put_on(const std::shared_ptr<Startup>& startup) {
  changes_.push({.what = "start",
                 .closes = ledger::BlockClose::kRestart,
                 .compose = [this, startup](Composition& next) { return compose_first(*startup, next); },
                 .adopted =
                     [this] {
                       started_ = true;
                       settle();
                       const pipeline::Conditions& now = changes_.now().conditions;
                       run_due_ = options_.run_at_start && now.run.value == 0;
                       log_.info("model activated", {{"bundle", now.model->bundle.full_name()},
                                                     {"generation", now.generation.value},
                                                     {"menu", now.menu->digest().short_hex()},
                                                     {"run", now.run.value}});
                       keep_up();
                     },
                 .done =
                     [this, startup](Result<void> result) {
                       if (!result || !run_due_) return startup->done(std::move(result));
                       start_run("started with the daemon", [this, startup](const Result<RunNumber>& run) {
                         run_due_ = false;
                         startup->done(run ? Result<void>() : tl::unexpected(run.error()));
                       });
                     }});
}

}  // namespace kantrig::control
