#include "apps/kantrigd/daemon_metrics.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "telemetry/process_metrics.hpp"

namespace kantrig::apps {
namespace {

using base::HistogramSnapshot;
using telemetry::Metric;
using telemetry::MetricWriter;
using telemetry::number;
using telemetry::seconds;

constexpr Metric kReceived{"kantrig_events_received_total", "Events received, as their batch headers say."};
constexpr Metric kDecided{"kantrig_events_decided_total", "Events by their one final disposition."};
constexpr Metric kWithout{"kantrig_events_without_decision_total", "Events that got no decision, by reason."};
constexpr Metric kBatchesWithout{"kantrig_batches_without_decision_total",
                                 "Batches that got no decision, by reason."};
constexpr Metric kBatches{"kantrig_batches_received_total", "Batches received whose header could be read."};
constexpr Metric kPaths{"kantrig_events_evaluated_total", "Events by what evaluated them."};
constexpr Metric kResidual{"kantrig_ledger_residual_events",
                           "Received minus all dispositions and what is in flight. Must be 0."};
constexpr Metric kInFlight{"kantrig_ledger_in_flight_events", "Events received and not yet disposed of."};
constexpr Metric kTime{"kantrig_time_seconds_total",
                       "Time by state: live with a run on and credit given, busy of it deciding, paused "
                       "otherwise. Sum over shards."};
constexpr Metric kLines{"kantrig_line_events_total", "Events of each line of the menu, by stage."};
constexpr Metric kStages{
    "kantrig_stage_latency_seconds",
    "Time of a batch in the daemon: decide (receipt to decision), send (decision to handed over), whole."};
constexpr Metric kBatchSizes{"kantrig_batch_size_events", "Events in a batch."};
constexpr Metric kLanes{"kantrig_lanes", "Lanes with a live connection."};
constexpr Metric kCredit{"kantrig_credit_outstanding_events", "Events that live lanes may have unanswered."};
constexpr Metric kUnsent{"kantrig_unsent_answers", "Answers waiting for their client to read."};
constexpr Metric kUndelivered{"kantrig_answers_undelivered_total",
                              "Answers that could not be handed over; they are kept for a repeat."};
constexpr Metric kLanesCut{"kantrig_lanes_cut_total",
                           "Lanes cut because their client did not read its answers."};
constexpr Metric kUnreadable{"kantrig_messages_unreadable_total", "Messages whose header could not be read."};
constexpr Metric kModel{"kantrig_model_info", "The models in use, by role."};
constexpr Metric kMenu{"kantrig_menu_info", "The menu that decides and its prescale column."};
constexpr Metric kGeneration{"kantrig_generation", "Activations so far: stamped on every decision."};
constexpr Metric kRun{"kantrig_run", "Number of the run that is on; 0 when none is."};
constexpr Metric kBlock{"kantrig_block", "Number of the block within the run."};
constexpr Metric kRange{
    "kantrig_feature_out_of_range_ratio",
    "Share of events whose feature left the model's range and was clamped, in the last ten seconds."};
constexpr Metric kShadowCompared{"kantrig_shadow_compared_events_total",
                                 "Events that the shadow model ran on."};
constexpr Metric kShadowDiffers{"kantrig_shadow_disagreements_total",
                                "Events on which the shadow model differs, by what differs."};
constexpr Metric kCanaries{"kantrig_canaries_total",
                           "Golden vectors sent through the decision path, by result."};
constexpr Metric kCanaryTime{"kantrig_canary_last_pass_timestamp_seconds",
                             "When every shard last reproduced its golden vectors (the oldest of them)."};

}  // namespace

DaemonMetrics::DaemonMetrics(const control::Controller& controller, std::vector<pipeline::Shard*> shards)
    : controller_(controller), shards_(std::move(shards)) {}

void DaemonMetrics::write(MetricWriter& writer) {
  write_ledger(writer);
  write_lines(writer);
  write_latencies(writer);
  write_gauges(writer);
  write_conditions(writer);
  write_ranges(writer);
  write_shadow_and_canaries(writer);
  telemetry::write_process_metrics(writer);
  telemetry::write_build_info(writer);
}

void DaemonMetrics::write_ledger(MetricWriter& writer) {
  ledger::Counts counts;
  std::uint64_t live_ns = 0;
  std::uint64_t busy_ns = 0;
  std::uint64_t paused_ns = 0;
  std::array<ledger::ReasonCounts, ledger::kReasonsMax> reasons{};
  std::array<std::uint64_t, ledger::kPathsMax> paths{};
  for (pipeline::Shard* shard : shards_) {
    shard->books().snapshot(snapshot_);
    const ledger::BlockCounts& total = snapshot_.total;
    counts += total.totals;
    live_ns += total.live_ns;
    busy_ns += total.busy_ns;
    paused_ns += total.paused_ns;
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      reasons[i].events += total.reasons[i].events;
      reasons[i].batches += total.reasons[i].batches;
    }
    for (std::size_t i = 0; i < paths.size(); ++i) paths[i] += total.path_events[i];
  }
  writer.counter(kReceived, number(counts.received));
  writer.counter(kDecided, number(counts.accepted), {{"disposition", "accepted"}});
  writer.counter(kDecided, number(counts.rejected), {{"disposition", "rejected"}});
  writer.counter(kDecided, number(counts.duplicate), {{"disposition", "duplicate"}});
  writer.counter(kDecided, number(counts.malformed), {{"disposition", "malformed"}});
  writer.counter(kDecided, number(counts.refused), {{"disposition", "refused"}});
  for (std::uint32_t i = 1; i < wire::kReasonCount; ++i) {
    const std::string reason(wire::name_of(static_cast<wire::Reason>(i)));
    writer.counter(kWithout, number(reasons[i].events), {{"reason", reason}});
    writer.counter(kBatchesWithout, number(reasons[i].batches), {{"reason", reason}});
  }
  writer.counter(kPaths, number(paths[static_cast<std::size_t>(wire::Path::kCpu)]), {{"path", "cpu"}});
  writer.counter(kPaths, number(paths[static_cast<std::size_t>(wire::Path::kFpga)]), {{"path", "fpga"}});
  writer.gauge(kResidual, static_cast<double>(counts.residual()));
  writer.gauge(kInFlight, number(counts.in_flight));
  writer.counter(kTime, seconds(live_ns), {{"state", "live"}});
  writer.counter(kTime, seconds(busy_ns), {{"state", "busy"}});
  writer.counter(kTime, seconds(paused_ns), {{"state", "paused"}});
}

void DaemonMetrics::write_lines(MetricWriter& writer) const {
  std::map<std::string, ledger::LineCounts> lines;
  for (const pipeline::Shard* shard : shards_) {
    for (const auto& [name, probe] : shard->line_probes()) {
      ledger::LineCounts& line = lines[name];
      line.before_prescale += probe.before_prescale.value();
      line.after_prescale += probe.after_prescale.value();
      line.after_veto += probe.after_veto.value();
    }
  }
  for (const auto& [name, line] : lines) {
    writer.counter(kLines, number(line.before_prescale), {{"line", name}, {"stage", "before_prescale"}});
    writer.counter(kLines, number(line.after_prescale), {{"line", name}, {"stage", "after_prescale"}});
    writer.counter(kLines, number(line.after_veto), {{"line", name}, {"stage", "after_veto"}});
  }
}

void DaemonMetrics::write_latencies(MetricWriter& writer) const {
  HistogramSnapshot decide;
  HistogramSnapshot send;
  HistogramSnapshot whole;
  HistogramSnapshot sizes;
  std::uint64_t batches = 0;
  for (const pipeline::Shard* shard : shards_) {
    decide.merge(shard->probe().receive_to_decision.snapshot());
    send.merge(shard->probe().decision_to_send.snapshot());
    whole.merge(shard->probe().whole.snapshot());
    sizes.merge(shard->probe().batch_events.snapshot());
    batches += shard->probe().batches.value();
  }
  writer.histogram(kStages, decide, {{"stage", "decide"}});
  writer.histogram(kStages, send, {{"stage", "send"}});
  writer.histogram(kStages, whole, {{"stage", "whole"}});
  writer.histogram(kBatchSizes, sizes);
  writer.counter(kBatches, number(batches));
}

void DaemonMetrics::write_gauges(MetricWriter& writer) const {
  double lanes = 0;
  double credit = 0;
  double unsent = 0;
  std::uint64_t undelivered = 0;
  std::uint64_t cut = 0;
  std::uint64_t unreadable = 0;
  for (const pipeline::Shard* shard : shards_) {
    const pipeline::ShardProbe& probe = shard->probe();
    lanes += probe.lanes_live.value();
    credit += probe.credit_events.value();
    unsent += probe.answers_unsent.value();
    undelivered += probe.answers_undelivered.value();
    cut += probe.lanes_cut.value();
    unreadable += probe.messages_unreadable.value();
  }
  writer.gauge(kLanes, lanes);
  writer.gauge(kCredit, credit);
  writer.gauge(kUnsent, unsent);
  writer.counter(kUndelivered, number(undelivered));
  writer.counter(kLanesCut, number(cut));
  writer.counter(kUnreadable, number(unreadable));
}

void DaemonMetrics::write_conditions(MetricWriter& writer) const {
  const auto conditions = shards_.front()->adopted();
  if (!conditions) return;
  const auto model_info = [&writer](const pipeline::LoadedModel& model, const char* role) {
    writer.info(kModel,
                {{"role", role}, {"name", model.bundle.full_name()}, {"digest", model.bundle.digest.hex()}});
  };
  model_info(*conditions->model, "active");
  if (conditions->shadow) model_info(*conditions->shadow, "shadow");
  writer.info(kMenu, {{"digest", conditions->menu->digest().hex()},
                      {"column", conditions->menu->columns()[conditions->column]}});
  writer.gauge(kGeneration, number(conditions->generation.value));
  writer.gauge(kRun, number(conditions->run.value));
  writer.gauge(kBlock, number(conditions->block.value));
}

void DaemonMetrics::write_ranges(MetricWriter& writer) const {
  const auto conditions = shards_.front()->adopted();
  if (!conditions) return;
  const auto& features = conditions->model->bundle.features;
  for (std::size_t i = 0; i < features.size(); ++i) {
    writer.gauge(kRange, i < range_ratios_.size() ? range_ratios_[i] : 0.0, {{"feature", features[i].name}});
  }
}

void DaemonMetrics::write_shadow_and_canaries(MetricWriter& writer) const {
  std::uint64_t compared = 0;
  std::uint64_t classes = 0;
  std::uint64_t accepts = 0;
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  double oldest_s = 0.0;
  for (const pipeline::Shard* shard : shards_) {
    const pipeline::ShardProbe& probe = shard->probe();
    compared += probe.shadow_compared.value();
    classes += probe.shadow_class_disagreements.value();
    accepts += probe.shadow_accept_disagreements.value();
    passed += probe.canaries_passed.value();
    failed += probe.canaries_failed.value();
    const double last_s = probe.canary_last_pass_unix_s.value();
    oldest_s = shard == shards_.front() ? last_s : std::min(oldest_s, last_s);
  }
  writer.counter(kShadowCompared, number(compared));
  writer.counter(kShadowDiffers, number(classes), {{"kind", "class"}});
  writer.counter(kShadowDiffers, number(accepts), {{"kind", "accept"}});
  writer.counter(kCanaries, number(passed), {{"result", "passed"}});
  writer.counter(kCanaries, number(failed), {{"result", "failed"}});
  writer.gauge(kCanaryTime, oldest_s);
}

DaemonMetrics::RangeTotals DaemonMetrics::range_totals() const {
  RangeTotals totals;
  for (const pipeline::Shard* shard : shards_) {
    const pipeline::ShardProbe& probe = shard->probe();
    totals.sampled += probe.range_sampled_events.value();
    totals.clamped.resize(probe.clamped.size());
    for (std::size_t i = 0; i < probe.clamped.size(); ++i) totals.clamped[i] += probe.clamped[i].value();
  }
  return totals;
}

void DaemonMetrics::close_range_window() {
  RangeTotals now = range_totals();
  window_start_.clamped.resize(now.clamped.size());
  range_ratios_.assign(now.clamped.size(), 0.0);
  const std::uint64_t events = now.sampled - window_start_.sampled;
  for (std::size_t i = 0; i < now.clamped.size() && events > 0; ++i) {
    range_ratios_[i] = number(now.clamped[i] - window_start_.clamped[i]) / number(events);
  }
  window_start_ = std::move(now);
}

}  // namespace kantrig::apps
