#include "apps/kantrig-card/process.hpp"

#include <unistd.h>

#include <fmt/core.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>

#include "apps/kantrig-card/metrics.hpp"
#include "apps/kantrig-card/runner.hpp"
#include "apps/kantrig-card/server.hpp"
#include "apps/kantrig-card/supervisor.hpp"
#include "base/build_info.hpp"
#include "base/exit_code.hpp"
#include "base/log.hpp"
#include "service/service_manager.hpp"
#include "telemetry/exposer.hpp"
#include "telemetry/health.hpp"
#include "telemetry/http_server.hpp"

namespace kantrig::card_host {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t kTickMs = 250;
constexpr std::uint32_t kTicksPerStatus = 20;  // five seconds

base::LogLevel log_level(const std::string& name) {
  if (name == "debug") return base::LogLevel::kDebug;
  if (name == "warn") return base::LogLevel::kWarn;
  if (name == "error") return base::LogLevel::kError;
  return base::LogLevel::kInfo;
}

constexpr std::uint64_t ns(std::uint32_t ms) {
  return std::uint64_t{ms} * 1'000'000;
}

/// Everything that lives as long as the process, in the order of its making.
class Process {
 public:
  explicit Process(const Options& options) : options_(options), log_(log_level(options.log_level)) {}

  int run() {
    if (auto started = start(); !started) {
      log_.error("cannot start", {{"reason", started.error().message}});
      return base::kExitInput;
    }
    io_.run();
    end();
    return base::kExitOk;
  }

 private:
  Result<void> start() {
    auto listener = card_link::Listener::open(options_.socket);
    if (!listener) return tl::unexpected(listener.error());
    if (auto ok = open_page(); !ok) return ok;
    auto runner = Runner::start(clock_, runner_options(), figures_);
    if (!runner) return tl::unexpected(runner.error());
    runner_ = std::move(*runner);
    supervisor_.emplace(
        Card::Parts{clock_, log_, *runner_, figures_, watch_}, card_options(),
        RetryOptions{.min_ns = ns(options_.retry_min_ms), .max_ns = ns(options_.retry_max_ms)}, completion(),
        events());
    (void)supervisor_->do_work();  // so that whoever connects is told the platform, when there is a card
    server_.emplace(io_, clock_, log_, figures_.server, std::move(*listener), calls());
    auto thread = base::AgentThread::start("supervisor", *supervisor_, {});
    if (!thread) return tl::unexpected(thread.error());
    supervisor_thread_ = std::move(*thread);
    watch_signals();
    log_.info("listening", {{"version", base::build_info().version},
                            {"socket", options_.socket},
                            {"device", options_.device},
                            {"completion", options_.completion},
                            {"metrics", http_ ? "http://" + http_->address().text() + "/metrics" : "off"}});
    manager_.ready(status_line());
    tick();
    return {};
  }

  Result<void> open_page() {
    if (options_.metrics.empty()) return {};
    const auto address = telemetry::parse_listen_address(options_.metrics);
    if (!address) return tl::unexpected(address.error().within("--metrics"));
    auto server = telemetry::HttpServer::listen(io_, *address);
    if (!server) return tl::unexpected(server.error().within("--metrics"));
    http_.emplace(std::move(*server));
    exposer_.add([this](telemetry::MetricWriter& writer) {
      write_metrics(writer, figures_, supervisor_->snapshot(), server_->daemon_pid());
    });
    telemetry::add_pages(*http_, exposer_,
                         {.live = [this] { return live(); }, .ready = [this] { return ready(); }});
    return {};
  }

  [[nodiscard]] CompletionMode completion() const {
    return options_.completion == "polling" ? CompletionMode::kPolling : CompletionMode::kInterrupt;
  }

  [[nodiscard]] RunnerOptions runner_options() const {
    return {.completion = completion(),
            .deadline_ns = ns(options_.deadline_ms),
            .runs_max = options_.in_flight,
            .spin_ns = std::uint64_t{options_.spin_us} * 1'000};
  }

  [[nodiscard]] CardOptions card_options() const {
    return {.device = options_.device,
            .platform = options_.platform,
            .reset_command = options_.reset_command,
            .deadline_ns = ns(options_.deadline_ms),
            .runs_max = options_.in_flight,
            .load_limit_ns = ns(options_.load_limit_ms),
            .call_limit_ns = ns(options_.call_limit_ms)};
  }

  /// From the supervisor's thread to this one.
  SupervisorEvents events() {
    return {
        .state = [this](const auto& state) { asio::post(io_, [this, state] { server_->on_state(state); }); },
        .loaded =
            [this](const auto& loaded) { asio::post(io_, [this, loaded] { server_->on_loaded(loaded); }); },
        .done =
            [this](std::uint64_t ticket, const auto& done) {
              asio::post(io_, [this, ticket, done] { server_->on_done(ticket, done); });
            },
        .dismissed =
            [this](const auto& why) { asio::post(io_, [this, why] { server_->on_dismissed(why); }); },
        .left = [this] { asio::post(io_, [this] { server_->on_left(); }); }};
  }

  ServerCalls calls() {
    return {.join = [this](std::shared_ptr<Link> link) { return supervisor_->join(std::move(link)); },
            .leave = [this] { supervisor_->leave(); },
            .load = [this](card_link::Load load,
                           std::uint64_t at_ns) { return supervisor_->load(std::move(load), at_ns); },
            .command = [this](std::uint64_t ticket,
                              card_link::Command command) { return supervisor_->command(ticket, command); },
            .welcome = [this] { return welcome(); },
            .status = [this] { return status(); }};
  }

  [[nodiscard]] card_link::Welcome welcome() const {
    const CardSnapshot card = supervisor_->snapshot();
    return {.pid = static_cast<std::uint64_t>(::getpid()),
            .version = std::string(base::build_info().version),
            .device = card.device.address,
            .platform = card.platform,
            .state = card.state};
  }

  [[nodiscard]] card_link::Status status() const {
    const CardSnapshot card = supervisor_->snapshot();
    const SupervisorFigures& counted = figures_.supervisor;
    card_link::Status status;
    status.version = base::build_info().version;
    status.pid = static_cast<std::uint64_t>(::getpid());
    status.device = card.device.address;
    status.device_name = card.device.name;
    status.platform = card.platform;
    status.state = card.state;
    status.xclbin = card.xclbin;
    status.compute_units = static_cast<std::uint32_t>(card.compute_units);
    status.models = card.models;
    status.batches = figures_.completer.batches.value();
    status.events = figures_.completer.events.value();
    status.runs_in_flight = figures_.runs_in_flight.load(std::memory_order_relaxed);
    for (const base::Counter& faults : counted.faults) status.faults += faults.value();
    status.recoveries = counted.recoveries.value();
    status.table_swaps = counted.swaps[static_cast<std::size_t>(card_link::LoadKind::kTables)].value();
    status.bitstream_swaps = counted.swaps[static_cast<std::size_t>(card_link::LoadKind::kBitstream)].value();
    status.sensors = card.sensors;
    status.completion = options_.completion;
    return status;
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      log_.info("stopping: runs in flight may end");
      manager_.stopping("waiting for runs in flight");
      io_.stop();
    });
  }

  void tick() {
    timer_.expires_after(std::chrono::milliseconds(kTickMs));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      end_when_stuck();
      if (manager_.watchdog_interval_ms() > 0) manager_.alive();
      if (++ticks_ % kTicksPerStatus == 0) manager_.status(status_line());
      tick();
    });
  }

  /// A call into XRT that does not come back cannot be helped from inside.
  void end_when_stuck() {
    std::optional<std::string> stuck = watch_.stuck(clock_.now_ns());
    if (!stuck) stuck = stuck_thread();
    if (!stuck) return;
    log_.error("a call into XRT does not return: ending, so that the service manager starts anew",
               {{"in", *stuck}, {"device", options_.device}});
    ::_exit(base::kExitFailed);
  }

  struct Beat {
    std::uint64_t value = 0;
    std::uint64_t since_ns = 0;
  };
  [[nodiscard]] bool is_stuck(Beat& beat, std::uint64_t value) const {
    const std::uint64_t now_ns = clock_.now_ns();
    if (beat.since_ns == 0 || value != beat.value) beat = {value, now_ns};
    return now_ns - beat.since_ns > ns(options_.call_limit_ms);
  }
  std::optional<std::string> stuck_thread() {
    if (is_stuck(taker_beat_, figures_.taker.beat.load(std::memory_order_relaxed)))
      return "copying to the card or starting a run";
    if (is_stuck(completer_beat_, figures_.completer.beat.load(std::memory_order_relaxed)))
      return "waiting for a run or copying from the card";
    return std::nullopt;
  }

  telemetry::Health live() {
    const auto stuck = watch_.stuck(clock_.now_ns());
    if (stuck) return {false, "stuck: " + *stuck + "\n"};
    return {true, "runs are taken and completed\n"};
  }

  telemetry::Health ready() {
    const CardSnapshot card = supervisor_->snapshot();
    const bool ok = card.state.state == card_link::CardState::kReady;
    return {ok, fmt::format("state: {} {}\n", card_link::name_of(card.state.state), card.state.reason)};
  }

  [[nodiscard]] std::string status_line() const {
    const CardSnapshot card = supervisor_->snapshot();
    return fmt::format("{}: {}{}{} models, {} batches", card_link::name_of(card.state.state),
                       card.state.reason, card.state.reason.empty() ? "" : ", ", card.state.ready.size(),
                       figures_.completer.batches.value());
  }

  void end() {
    server_.reset();             // nobody is heard any more
    supervisor_thread_.reset();  // after what it is doing
    supervisor_.reset();         // waits for the runs in flight, closes the card
    runner_.reset();
    log_.info("stopped");
  }

  Options options_;
  base::Logger log_;
  base::SystemClock clock_;
  service::ServiceManager manager_;
  asio::io_context io_;
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::steady_timer timer_{io_};
  Figures figures_;
  CallWatch watch_{clock_};
  std::unique_ptr<Runner> runner_;
  std::optional<Supervisor> supervisor_;
  std::unique_ptr<base::AgentThread> supervisor_thread_;
  std::optional<Server> server_;
  telemetry::Exposer exposer_;
  std::optional<telemetry::HttpServer> http_;
  std::uint32_t ticks_ = 0;
  Beat taker_beat_;
  Beat completer_beat_;
};

}  // namespace

int run_process(const Options& options) {
  return Process(options).run();
}

}  // namespace kantrig::card_host
