#include "apps/kantrigd/daemon.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apps/kantrigd/card_metrics.hpp"
#include "apps/kantrigd/cards.hpp"
#include "apps/kantrigd/daemon_metrics.hpp"
#include "apps/kantrigd/daemon_options.hpp"
#include "apps/kantrigd/pipeline_watch.hpp"
#include "apps/kantrigd/state_lock.hpp"
#include "base/agent.hpp"
#include "base/build_info.hpp"
#include "base/clock.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "control/control_server.hpp"
#include "control/controller.hpp"
#include "control/model_registry.hpp"
#include "control/request_handler.hpp"
#include "ledger/run_book.hpp"
#include "pipeline/shard.hpp"
#include "service/service_manager.hpp"
#include "telemetry/exposer.hpp"
#include "telemetry/health.hpp"
#include "telemetry/http_server.hpp"

namespace kantrig::apps {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t kTickMs = 250;
constexpr std::uint32_t kTicksPerStatus = 20;       // five seconds
constexpr std::uint32_t kTicksPerRangeWindow = 40;  // ten seconds
constexpr std::size_t kGoodbyesWaitingMax = 10'000;

/// Everything that lives as long as the daemon runs, in the order of its making.
class Daemon {
 public:
  Daemon(const settings::Settings& settings, const SettingsSource& source)
      : settings_(settings), source_(source), log_(log_level(settings.log.level)), cards_(settings) {}

  int run() {
    if (auto started = start(); !started) {
      log_.error("cannot start", {{"reason", started.error().message}});
      return base::kExitInput;
    }
    io_.run();
    end();
    return exit_code_;
  }

 private:
  Result<void> start() {
    if (settings_.threads.lock_memory && ::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
      return fail(ErrorCode::kIo, "threads.lock_memory: {} (LimitMEMLOCK=infinity in the unit permits it)",
                  std::strerror(errno));
    }
    auto lock = StateLock::take(settings_.ledger.state_directory);
    if (!lock) return tl::unexpected<Error>(lock.error());
    lock_.emplace(std::move(*lock));
    auto context = wire::Context::create(settings_.events.io_threads);
    if (!context) return tl::unexpected<Error>(context.error());
    context_.emplace(std::move(*context));
    if (auto ok = make_shards(); !ok) return ok;
    if (auto ok = make_control(); !ok) return ok;
    if (auto ok = make_telemetry(); !ok) return ok;
    if (auto ok = start_threads(); !ok) return ok;
    cards_.start(io_, clock_, log_, shard_pointers_);
    watch_signals();
    controller_->start([this](const Result<void>& started) { on_started(started); });
    tick();
    return {};
  }

  Result<void> make_shards() {
    for (std::uint32_t i = 0; i < settings_.events.shards; ++i) {
      auto shard = pipeline::Shard::create(shard_options(settings_, cards_, i), *context_, clock_);
      if (!shard) return tl::unexpected<Error>(shard.error());
      shards_.push_back(std::move(*shard));
      shard_pointers_.push_back(shards_.back().get());
    }
    return {};
  }

  Result<void> make_control() {
    const std::filesystem::path state = settings_.ledger.state_directory;
    auto runs = ledger::RunBook::open(state / "runs", std::string(base::build_info().version));
    if (!runs) return tl::unexpected<Error>(runs.error());
    runs_.emplace(std::move(*runs));
    registry_.emplace(io_, registry_options(settings_, cards_));
    const control::Shards shards(shard_pointers_.begin(), shard_pointers_.end());
    controller_.emplace(
        control::Controller::Parts{io_, clock_, log_, *registry_, *runs_, shards,
                                   [this](const control::Roles& roles) { cards_.want(roles); }},
        controller_options(settings_));
    handler_.emplace(
        *controller_, [this] { return figures(); },
        [this](backend::Route route) { change_route(route, "kantrig card route"); });
    auto server = control::ControlServer::open(
        io_, *context_, {.endpoint = settings_.control.endpoint},
        [this](std::string_view request, control::ControlServer::Reply reply) {
          collect_goodbyes();  // so that a run's record holds them when it is stopped
          handler_->handle(request, std::move(reply));
        },
        control::RequestHandler::refusal);
    if (!server) return tl::unexpected<Error>(server.error());
    control_server_ = std::move(*server);
    return {};
  }

  Result<void> make_telemetry() {
    const auto address = telemetry::parse_listen_address(settings_.telemetry.listen);
    if (!address) return tl::unexpected<Error>(address.error().within("telemetry.listen"));
    auto server = telemetry::HttpServer::listen(io_, *address);
    if (!server) return tl::unexpected<Error>(server.error().within("telemetry.listen"));
    http_.emplace(std::move(*server));
    metrics_.emplace(*controller_, shard_pointers_);
    watch_.emplace(clock_, shard_pointers_);
    exposer_.add([this](telemetry::MetricWriter& writer) { metrics_->write(writer); });
    exposer_.add([this](telemetry::MetricWriter& writer) { write_card_metrics(cards_, writer); });
    telemetry::add_pages(*http_, exposer_,
                         {.live = [this] { return watch_->live(); }, .ready = [this] { return ready(); }});
    return {};
  }

  Result<void> start_threads() {
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      base::ThreadPlacement placement;
      placement.realtime_priority = settings_.threads.realtime_priority;
      if (i < settings_.threads.shard_cpus.size()) placement.cpus = settings_.threads.shard_cpus[i];
      auto thread = base::AgentThread::start(fmt::format("shard-{}", i), *shards_[i], placement);
      if (!thread) return tl::unexpected<Error>(thread.error());
      threads_.push_back(std::move(*thread));
    }
    return {};
  }

  void on_started(const Result<void>& started) {
    if (!started) {
      log_.error("cannot start", {{"reason", started.error().message}});
      exit_code_ = base::kExitInput;
      io_.stop();
      return;
    }
    const control::Status status = controller_->status();
    log_.info("ready", {{"version", base::build_info().version},
                        {"events", settings_.events.endpoints.front()},
                        {"control", control_server_->endpoint()},
                        {"metrics", "http://" + http_->address().text() + "/metrics"},
                        {"backend", status.backend},
                        {"kernel_set", status.kernel_set},
                        {"shards", settings_.events.shards},
                        {"run", status.run.value}});
    manager_.ready(status_line());
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        reload();
        watch_signals();
      } else if (!stopping_) {
        begin_stop();
        watch_signals();  // a second one does not wait for the drain
      } else {
        log_.warn("stopping at once: a second signal came");
        io_.stop();
      }
    });
  }

  void begin_stop() {
    stopping_ = true;
    log_.info("stopping: clients may finish what they have sent",
              {{"at_most_ms", settings_.stop.drain_timeout_ms}});
    manager_.stopping("draining");
    manager_.extend_timeout(std::uint64_t{settings_.stop.drain_timeout_ms} + 5'000);
    controller_->drain([this](const Result<void>& drained) {
      if (!drained)
        log_.warn("clients did not finish in time: what they still send is not decided",
                  {{"reason", drained.error().message}});
      io_.stop();
    });
  }

  /// Takes over what can change while events flow; names what cannot.
  void reload() {
    manager_.reloading(clock_.now_ns());
    const auto next = settings::load(source_.config_file, source_.overrides);
    if (!next) {
      log_.error("reload refused: nothing changed", {{"reason", next.error().message}});
      manager_.ready("reload refused: " + next.error().message);
      return;
    }
    for (const std::string& key : settings::changed_keys(settings_, *next)) {
      if (key != "log.level" && key != "menu.file" && key != "menu.column" && key != "card.route") {
        log_.warn("changed, but needs a restart", {{"key", key}});
      }
    }
    settings_.log.level = next->log.level;
    settings_.menu = next->menu;
    log_.set_level(log_level(settings_.log.level));
    if (settings_.card.route != next->card.route) {
      settings_.card.route = next->card.route;
      if (const auto route = control::parse_route(settings_.card.route))
        change_route(*route, "configuration");
    }
    const auto text = base::read_file(settings_.menu.file, control::kMenuBytesMax);
    if (!text) {
      finish_reload(tl::unexpected<Error>(text.error()));
      return;
    }
    controller_->load_menu({*text, settings_.menu.file}, [this](const Result<void>& loaded) {
      if (!loaded || settings_.menu.column.empty()) {
        finish_reload(loaded);
        return;
      }
      controller_->set_column(settings_.menu.column, [this](const Result<void>& set) { finish_reload(set); });
    });
  }

  void change_route(backend::Route route, std::string_view by) {
    cards_.set_route(route);
    log_.info("route of batches chosen", {{"route", control::name_of_route(route)}, {"by", by}});
  }

  void finish_reload(const Result<void>& done) {
    if (done) {
      log_.info("configuration reloaded");
      manager_.ready(status_line());
    } else {
      log_.error("reload: the menu stays as it was", {{"reason", done.error().message}});
      manager_.ready("reload failed: " + done.error().message);
    }
  }

  /// The control thread's own duty, four times a second.
  void tick() {
    timer_.expires_after(std::chrono::milliseconds(kTickMs));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      ++ticks_;
      collect_goodbyes();
      watch_->look();
      if (ticks_ % kTicksPerRangeWindow == 0) metrics_->close_range_window();
      if (manager_.watchdog_interval_ms() > 0 && watch_->live().ok) manager_.alive();
      if (ticks_ % kTicksPerStatus == 0 && !stopping_) manager_.status(status_line());
      tick();
    });
  }

  /// Clients' farewells, into the record of their run. What cannot be written waits, up to a bound.
  void collect_goodbyes() {
    for (pipeline::Shard* shard : shard_pointers_) {
      while (goodbyes_.size() < kGoodbyesWaitingMax) {
        auto goodbye = shard->next_goodbye();
        if (!goodbye) break;
        goodbyes_.push_back(*goodbye);
      }
    }
    while (!goodbyes_.empty()) {
      const pipeline::Goodbye& goodbye = goodbyes_.front();
      const auto added = runs_->add_client({.run = goodbye.client.run,
                                            .source = goodbye.client.source,
                                            .lane = goodbye.client.lane,
                                            .instance = goodbye.instance,
                                            .sent = goodbye.client.events_sent,
                                            .accepted = goodbye.client.events_accepted,
                                            .rejected = goodbye.client.events_rejected,
                                            .malformed = goodbye.client.events_malformed,
                                            .refused = goodbye.client.events_refused,
                                            .ledger = goodbye.ledger});
      if (!added && added.error().code == ErrorCode::kIo) return;  // the disk may have room again later
      if (!added) log_.warn("a client's counts cannot be compared", {{"reason", added.error().message}});
      goodbyes_.pop_front();
    }
  }

  [[nodiscard]] control::DaemonFigures figures() const {
    control::DaemonFigures figures;
    for (const pipeline::Shard* shard : shard_pointers_) {
      for (const std::string& endpoint : shard->endpoints()) figures.endpoints.push_back(endpoint);
      figures.shadow_compared += shard->probe().shadow_compared.value();
      figures.shadow_class_disagreements += shard->probe().shadow_class_disagreements.value();
      figures.shadow_accept_disagreements += shard->probe().shadow_accept_disagreements.value();
    }
    figures.cards = cards_.status();
    return figures;
  }

  [[nodiscard]] telemetry::Health ready() {
    const control::DaemonState state = controller_->state();
    if (stopping_ || state == control::DaemonState::kStarting || state == control::DaemonState::kDraining) {
      return {false, fmt::format("state: {}\n", control::name_of(state))};
    }
    telemetry::Health live = watch_->live();
    if (live.ok)
      live.text = fmt::format("state: {}\n{}{}", control::name_of(state), live.text, cards_.readiness());
    return live;
  }

  [[nodiscard]] std::string status_line() const {
    const control::Status status = controller_->status();
    return fmt::format("{}: run {} block {}, model {} generation {}, {} batches",
                       control::name_of(status.state), status.run.value, status.block.value,
                       status.active ? status.active->name : "none", status.generation.value,
                       status.batches_total);
  }

  /// Ends the threads, closes the last blocks and records them.
  void end() {
    control_server_.reset();
    threads_.clear();
    for (const auto& shard : shards_) shard->end();
    cards_.stop();
    collect_goodbyes();
    if (const auto collected = controller_->collect_last_blocks(); !collected) {
      log_.error("the last blocks stay in the ledger for the next start",
                 {{"reason", collected.error().message}});
    }
    if (!goodbyes_.empty())
      log_.error("clients' own counts are not recorded", {{"clients", goodbyes_.size()}});
    for (const auto& shard : shards_) {
      if (const auto synced = shard->books().sync(); !synced)
        log_.error("ledger", {{"reason", synced.error().message}});
    }
    if (exit_code_ == base::kExitOk) log_.info("stopped");
  }

  settings::Settings settings_;
  SettingsSource source_;
  base::Logger log_;
  base::SystemClock clock_;
  service::ServiceManager manager_;
  asio::io_context io_;
  asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer timer_{io_};
  Cards cards_;  // outlives shards and models
  std::optional<StateLock> lock_;
  std::optional<wire::Context> context_;
  std::vector<std::unique_ptr<pipeline::Shard>> shards_;
  std::vector<pipeline::Shard*> shard_pointers_;
  std::optional<ledger::RunBook> runs_;
  std::optional<control::ModelRegistry> registry_;
  std::optional<control::Controller> controller_;
  std::optional<control::RequestHandler> handler_;
  std::unique_ptr<control::ControlServer> control_server_;
  telemetry::Exposer exposer_;
  std::optional<telemetry::HttpServer> http_;
  std::optional<DaemonMetrics> metrics_;
  std::optional<PipelineWatch> watch_;
  std::vector<std::unique_ptr<base::AgentThread>> threads_;
  std::deque<pipeline::Goodbye> goodbyes_;
  std::uint64_t ticks_ = 0;
  bool stopping_ = false;
  int exit_code_ = base::kExitOk;
};

}  // namespace

int run_daemon(const settings::Settings& settings, const SettingsSource& source) {
  return Daemon(settings, source).run();
}

}  // namespace kantrig::apps
