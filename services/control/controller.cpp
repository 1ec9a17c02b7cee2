#include "control/controller.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace kantrig::control {
namespace {

constexpr std::uint64_t kRollRetryNs =
    10'000'000'000;  // after a block that could not be closed: not a log full of it

/// A shadow sees the events of the active model, so it must take them as they come.
bool same_events(const kan::Model& a, const kan::Model& b) {
  return a.input_count() == b.input_count() && a.codes_only == b.codes_only;
}

/// `model` decides from the next batch on, under the menu's text compiled for it.
Result<void> put_model(Composition& next, const ModelPointer& model) {
  pipeline::Conditions& conditions = next.conditions;
  auto menu = compile_menu({conditions.menu->text(), next.menu_origin}, model->bundle);
  if (!menu) return tl::unexpected(menu.error());
  next.previous = std::exchange(conditions.model, model);
  conditions.menu = std::move(*menu);
  ++conditions.generation.value;
  if (conditions.shadow == model ||
      (conditions.shadow && !same_events(conditions.shadow->bundle.model, model->bundle.model))) {
    conditions.shadow = nullptr;
    conditions.shadow_menu = nullptr;
  }
  return {};
}

/// The column of the same name under another menu, or that menu's default.
std::uint32_t carry_column(const menu::Menu& from, std::uint32_t column, const menu::Menu& to) {
  return to.column_index(from.columns()[column]).value_or(to.default_column());
}

Result<Composed> put_menu(Composition& next, const MenuText& text) {
  pipeline::Conditions& conditions = next.conditions;
  auto menu = compile_menu(text, conditions.model->bundle);
  if (!menu) return tl::unexpected(menu.error());
  std::shared_ptr<const menu::Menu> shadow_menu;
  if (conditions.shadow) {
    auto compiled = compile_menu(text, conditions.shadow->bundle);
    if (!compiled) return tl::unexpected(compiled.error().within("shadow"));
    shadow_menu = std::move(*compiled);
  }
  conditions.column = carry_column(*conditions.menu, conditions.column, **menu);
  conditions.menu = std::move(*menu);
  conditions.shadow_menu = std::move(shadow_menu);
  next.menu_origin = text.origin;
  return Composed::kChanged;
}

Result<Composed> put_shadow(Composition& next, const ModelPointer& model) {
  pipeline::Conditions& conditions = next.conditions;
  if (conditions.shadow == model) return Composed::kUnchanged;
  const kan::Model& active = conditions.model->bundle.model;
  const kan::Model& other = model->bundle.model;
  if (!same_events(active, other)) {
    return fail(ErrorCode::kInvalid,
                "it takes {} {}, the active model {} {}; a shadow must take the same events",
                other.input_count(), other.codes_only ? "codes" : "floats", active.input_count(),
                active.codes_only ? "codes" : "floats");
  }
  auto menu = compile_menu({conditions.menu->text(), next.menu_origin}, model->bundle);
  if (!menu) return tl::unexpected(menu.error());
  conditions.shadow = model;
  conditions.shadow_menu = std::move(*menu);
  return Composed::kChanged;
}

}  // namespace

Controller::Controller(Parts parts, ControllerOptions options)
    : io_(parts.io),
      clock_(parts.clock),
      log_(parts.log),
      registry_(parts.registry),
      runs_(parts.runs),
      shards_(std::move(parts.shards)),
      on_roles_(std::move(parts.on_roles)),
      options_(std::move(options)),
      changes_({parts.io, clock_, log_, shards_}, options_),
      collector_(log_, runs_, shards_),
      upkeep_(parts.io),
      start_unix_ns_(clock_.unix_ns()) {}

Result<void> Controller::accepting() const {
  if (!started_) return fail(ErrorCode::kBusy, "the daemon is starting; try again");
  if (ending_) return fail(ErrorCode::kBusy, "the daemon is stopping");
  return {};
}

void Controller::push(Change change) {
  if (auto accepted = accepting(); !accepted) return change.done(std::move(accepted));
  changes_.push(std::move(change));
}

void Controller::with_model(const std::string& name, Done<void> done,
                            std::function<void(ModelPointer, Done<void>)> then) {
  if (auto accepted = accepting(); !accepted) return done(std::move(accepted));
  if (ModelPointer model = registry_.find(name)) return then(std::move(model), std::move(done));
  registry_.load(name, [done = std::move(done), then = std::move(then)](Result<ModelPointer> loaded) {
    if (!loaded) return done(tl::unexpected(loaded.error()));
    then(std::move(*loaded), done);
  });
}

void Controller::settle() {
  const Composition& now = changes_.now();
  const Roles roles{.active = now.conditions.model,
                    .previous = now.previous,
                    .shadow = now.conditions.shadow,
                    .generation = now.conditions.generation};
  registry_.set_roles(roles);
  if (on_roles_) on_roles_(roles);
  collector_.remember(now.conditions);
}

void Controller::load(const std::string& name, Done<void> done) {
  if (auto accepted = accepting(); !accepted) return done(std::move(accepted));
  registry_.load(name, [this, name, done = std::move(done)](const Result<ModelPointer>& loaded) {
    if (!loaded) return done(tl::unexpected(loaded.error()));
    log_.info("model loaded", {{"bundle", name}, {"digest", (*loaded)->bundle.digest.short_hex()}});
    done({});
  });
}

void Controller::activate(const std::string& name, Done<void> done) {
  with_model(name, std::move(done),
             [this](const ModelPointer& model, Done<void> then) { activate_loaded(model, std::move(then)); });
}

void Controller::activate_loaded(const ModelPointer& model, Done<void> done) {
  push({.what = "activate " + model->bundle.full_name(),
        .closes = ledger::BlockClose::kModel,
        .compose = [model](Composition& next) -> Result<Composed> {
          if (next.conditions.model == model) return Composed::kUnchanged;
          if (auto put = put_model(next, model); !put) return tl::unexpected(put.error());
          return Composed::kChanged;
        },
        .adopted =
            [this] {
              settle();
              const pipeline::Conditions& now = changes_.now().conditions;
              log_.info("model activated",
                        {{"bundle", now.model->bundle.full_name()}, {"generation", now.generation.value}});
            },
        .done = std::move(done)});
}

void Controller::rollback(Done<void> done) {
  push({.what = "rollback",
        .closes = ledger::BlockClose::kModel,
        .compose = [](Composition& next) -> Result<Composed> {
          const ModelPointer previous = next.previous;
          if (!previous)
            return fail(ErrorCode::kNotFound, "no model was active before {}",
                        next.conditions.model->bundle.full_name());
          if (auto put = put_model(next, previous); !put) return tl::unexpected(put.error());
          return Composed::kChanged;
        },
        .adopted =
            [this] {
              settle();
              const pipeline::Conditions& now = changes_.now().conditions;
              log_.warn("model rolled back",
                        {{"bundle", now.model->bundle.full_name()}, {"generation", now.generation.value}});
            },
        .done = std::move(done)});
}

void Controller::shadow(const std::string& name, Done<void> done) {
  with_model(name, std::move(done), [this](const ModelPointer& model, Done<void> then) {
    push({.what = "shadow " + model->bundle.full_name(),
          .closes = ledger::BlockClose::kModel,
          .compose = [model](Composition& next) { return put_shadow(next, model); },
          .adopted = [this] { settle(); },
          .done = std::move(then)});
  });
}

void Controller::unshadow(Done<void> done) {
  push({.what = "unshadow",
        .closes = ledger::BlockClose::kModel,
        .compose = [](Composition& next) -> Result<Composed> {
          if (!next.conditions.shadow) return Composed::kUnchanged;
          next.conditions.shadow = nullptr;
          next.conditions.shadow_menu = nullptr;
          return Composed::kChanged;
        },
        .adopted = [this] { settle(); },
        .done = std::move(done)});
}

void Controller::load_menu(MenuText menu, Done<void> done) {
  push({.what = "menu " + menu.origin,
        .closes = ledger::BlockClose::kMenu,
        .compose = [menu](Composition& next) { return put_menu(next, menu); },
        .adopted =
            [this] {
              settle();
              const Composition& now = changes_.now();
              log_.info("menu loaded",
                        {{"menu", now.menu_origin}, {"digest", now.conditions.menu->digest().short_hex()}});
            },
        .done = std::move(done)});
}

void Controller::set_column(const std::string& column, Done<void> done) {
  push({.what = "column " + column,
        .closes = ledger::BlockClose::kColumn,
        .compose = [column](Composition& next) -> Result<Composed> {
          const auto index = next.conditions.menu->column_index(column);
          if (!index) return tl::unexpected(index.error());
          if (*index == next.conditions.column) return Composed::kUnchanged;
          next.conditions.column = *index;
          return Composed::kChanged;
        },
        .adopted =
            [this, column] {
              log_.info("prescale column switched", {{"column", column}});
            },
        .done = std::move(done)});
}

void Controller::keep_up() {
  upkeep_.expires_after(std::chrono::milliseconds(options_.upkeep_ms));
  upkeep_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;                        // the timer went with its owner
    static_cast<void>(collector_.collect());  // it says in the log what fails, and tries again the next time
    roll_block_if_due();
    keep_up();
  });
}

void Controller::roll_block_if_due() {
  const Composition& now = changes_.now();
  const std::uint64_t longest_ns = std::uint64_t{options_.block_seconds} * 1'000'000'000;
  // Between runs nothing is decided, so that block may be as long as it likes. A change under way begins a
  // block anyway.
  if (now.conditions.run.value == 0 || now.conditions.draining || !changes_.idle()) return;
  if (clock_.now_ns() - now.block_start_ns < longest_ns || clock_.now_ns() < roll_not_before_ns_) return;
  changes_.push({.what = "block timer",
                 .closes = ledger::BlockClose::kTimer,
                 .compose = [](Composition&) -> Result<Composed> { return Composed::kChanged; },
                 .adopted = {},
                 .done =
                     [this](const Result<void>& result) {
                       if (result) return;
                       roll_not_before_ns_ = clock_.now_ns() + kRollRetryNs;
                       log_.error("block not closed in time", {{"reason", result.error().message}});
                     }});
}

DaemonState Controller::state() const {
  if (!started_ || run_due_) return DaemonState::kStarting;
  const pipeline::Conditions& now = changes_.now().conditions;
  if (ending_ || now.draining) return DaemonState::kDraining;
  return now.run.value == 0 ? DaemonState::kIdle : DaemonState::kRunning;
}

}  // namespace kantrig::control
