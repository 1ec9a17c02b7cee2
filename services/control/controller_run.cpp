// Controller: the beginning and the end of runs, and of the daemon.
#include "control/controller.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace kantrig::control {

void Controller::start_run(const std::string& comment, Done<RunNumber> done) {
  const auto begun = std::make_shared<RunNumber>();
  push({.what = "run start",
        .closes = ledger::BlockClose::kRun,
        .compose = [this, comment, begun](Composition& next) -> Result<Composed> {
          pipeline::Conditions& conditions = next.conditions;
          if (conditions.run.value != 0)
            return fail(ErrorCode::kBusy, "run {} is on; stop it first", conditions.run.value);
          const auto run = runs_.start(comment, clock_.unix_ns());
          if (!run) return tl::unexpected(run.error());
          conditions.run = *begun = *run;
          return Composed::kChanged;
        },
        .adopted =
            [this, begun] {
              log_.info("run started", {{"run", begun->value}});
            },
        .done =
            [this, begun, done = std::move(done)](const Result<void>& result) {
              if (result) return done(*begun);
              // A run that the shards were never told of is over at once; one that a shard is late with is
              // on.
              if (begun->value != 0 && result.error().code != ErrorCode::kTimeout) {
                static_cast<void>(runs_.stop("not started: " + result.error().message, clock_.unix_ns()));
              }
              done(tl::unexpected(result.error()));
            }});
}

void Controller::stop_run(const std::string& comment, Done<RunStopped> done) {
  const RunNumber run = runs_.current();
  if (run.value != 0 && started_ && changes_.idle() && changes_.now().conditions.run.value == 0) {
    return close_run(run, comment, std::move(done));  // its record could not be closed the last time
  }
  const auto ours = std::make_shared<bool>(false);  // this call, not another one, is stopping the run
  push({.what = "run stop",
        .closes = ledger::BlockClose::kRun,
        .compose = [this, ours](Composition& next) -> Result<Composed> {
          if (next.conditions.run.value == 0) return fail(ErrorCode::kInvalid, "no run is on");
          if (stopping_run_)
            return fail(ErrorCode::kBusy, "run {} is being stopped", next.conditions.run.value);
          stopping_run_ = *ours = true;
          if (std::exchange(next.conditions.draining, true)) return Composed::kUnchanged;
          return Composed::kChanged;
        },
        .adopted = {},
        .done =
            [this, ours, comment, done = std::move(done)](const Result<void>& result) {
              if (!result) {
                if (*ours) stopping_run_ = false;
                return done(tl::unexpected(result.error()));
              }
              const std::uint64_t deadline_ns =
                  clock_.now_ns() + std::uint64_t{options_.drain_timeout_ms} * 1'000'000;
              wait_drained(deadline_ns, [this, comment, done](bool in_time) {
                if (!in_time)
                  log_.warn("run stopped before all clients had finished",
                            {{"timeout_ms", options_.drain_timeout_ms}});
                end_run(comment, done);
              });
            }});
}

void Controller::end_run(const std::string& comment, Done<RunStopped> done) {
  const RunNumber run = changes_.now().conditions.run;
  push({.what = "run stop",
        .closes = ledger::BlockClose::kRun,
        .compose = [](Composition& next) -> Result<Composed> {
          next.conditions.run = {};
          next.conditions.draining = false;
          return Composed::kChanged;
        },
        .adopted = {},
        .done =
            [this, run, comment, done = std::move(done)](const Result<void>& result) {
              stopping_run_ = false;
              if (!result) return done(tl::unexpected(result.error()));
              close_run(run, comment, done);
            }});
}

void Controller::close_run(RunNumber run, const std::string& comment, Done<RunStopped> done) {
  const std::string what =
      fmt::format("run {} is over, but its record is not complete; kantrig run stop tries again", run.value);
  if (auto collected = collector_.collect(); !collected)
    return done(tl::unexpected(collected.error().within(what)));
  const auto summary = runs_.stop(comment, clock_.unix_ns());
  if (!summary) return done(tl::unexpected(summary.error().within(what)));
  auto json = runs_.to_json(run);
  if (!json) return done(tl::unexpected(json.error()));
  log_.info("run stopped", {{"run", run.value},
                            {"received", summary->totals.received},
                            {"accepted", summary->totals.accepted},
                            {"residual", summary->totals.residual()}});
  done(RunStopped{.run = run, .record_path = summary->path, .record_json = std::move(*json)});
}

void Controller::wait_drained(std::uint64_t deadline_ns, std::function<void(bool in_time)> then) {
  if (std::ranges::all_of(shards_, [](pipeline::ShardControl* shard) { return shard->drained(); }))
    return then(true);
  if (clock_.now_ns() >= deadline_ns) return then(false);
  const auto timer =
      std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(options_.poll_ms));
  timer->async_wait(
      [this, timer, deadline_ns, then = std::move(then)](const boost::system::error_code& error) {
        if (!error) wait_drained(deadline_ns, then);
      });
}

void Controller::drain(Done<void> done) {
  if (!started_) {  // nothing was ever decided
    ending_ = true;
    return done({});
  }
  push({.what = "drain",
        .closes = ledger::BlockClose::kStop,
        .compose = [](Composition& next) -> Result<Composed> {
          return std::exchange(next.conditions.draining, true) ? Composed::kUnchanged : Composed::kChanged;
        },
        .adopted = {},
        .done =
            [this, done = std::move(done)](const Result<void>& result) {
              if (!result) return done(tl::unexpected(result.error()));
              const std::uint64_t deadline_ns =
                  clock_.now_ns() + std::uint64_t{options_.drain_timeout_ms} * 1'000'000;
              wait_drained(deadline_ns, [this, done](bool in_time) {
                if (in_time) return done({});
                done(fail(ErrorCode::kTimeout, "not every client finished within {} ms",
                          options_.drain_timeout_ms));
              });
            }});
  ending_ = true;
}

}  // namespace kantrig::control
