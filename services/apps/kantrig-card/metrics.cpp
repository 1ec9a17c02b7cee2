#include "apps/kantrig-card/metrics.hpp"

#include <array>

#include "telemetry/process_metrics.hpp"

namespace kantrig::card_host {
namespace {

using card_link::CardState;
using card_link::LoadKind;
using telemetry::Metric;
using telemetry::MetricWriter;
using telemetry::number;
using telemetry::seconds;

constexpr Metric kInfo{"kantrig_card_info", "The card, its shell, platform and loaded xclbin."};
constexpr Metric kModel{"kantrig_card_model_info",
                        "Models on the card, by bank; load id 0: nobody asks for it."};
constexpr Metric kState{"kantrig_card_state", "1 for the state the card is in, 0 for the others."};
constexpr Metric kDaemon{"kantrig_card_daemon_joined", "1 while a kantrigd has joined."};
constexpr Metric kUnits{"kantrig_card_compute_units", "Compute units of the loaded xclbin."};
constexpr Metric kSlots{"kantrig_card_batches_total", "Batches (slots) given back, by how they ended."};
constexpr Metric kEvents{"kantrig_card_events_total", "Events that the card has evaluated."};
constexpr Metric kRuns{"kantrig_card_runs_in_flight", "Runs started and not yet ended."};
constexpr Metric kLatency{"kantrig_card_submit_to_complete_seconds",
                          "From a slot's submission by the daemon until it was given back."};
constexpr Metric kStage{"kantrig_card_stage_seconds",
                        "Stages of it: queue (until taken), fabric (from start until known to be complete)."};
constexpr Metric kBytes{"kantrig_card_transfer_bytes_total", "Bytes copied, by direction."};
constexpr Metric kTransfer{"kantrig_card_transfer_seconds_total", "Time spent copying, by direction."};
constexpr Metric kGolden{"kantrig_card_golden_replays_total",
                         "Replays of a bundle's golden vectors through every compute unit, by result."};
constexpr Metric kSwaps{"kantrig_card_swaps_total", "Models loaded, by what it took."};
constexpr Metric kSwapTime{"kantrig_card_swap_seconds",
                           "From the order to load a model until its golden vectors were right."};
constexpr Metric kProgram{"kantrig_card_last_program_seconds",
                          "Of the last swap: writing tables or loading the xclbin."};
constexpr Metric kGoldenTime{"kantrig_card_last_golden_seconds",
                             "Of the last swap: replaying golden vectors."};
constexpr Metric kLoadsFailed{"kantrig_card_loads_failed_total", "Orders to load a model that failed."};
constexpr Metric kFaults{"kantrig_card_faults_total", "Faults of the device, by kind."};
constexpr Metric kRecoveries{"kantrig_card_recoveries_total", "Attempts to recover from a fault, by result."};
constexpr Metric kResets{"kantrig_card_resets_total", "Device resets."};
constexpr Metric kJoins{"kantrig_card_connections_total", "Connections greeted, by role."};
constexpr Metric kRefused{"kantrig_card_refusals_total", "Greetings and packets that broke a rule."};
constexpr Metric kBroken{"kantrig_card_broken_links_total",
                         "Daemons dismissed because their rings held what cannot be."};
constexpr Metric kTemperature{"kantrig_card_temperature_celsius", "Temperature, by place on the card."};
constexpr Metric kPower{"kantrig_card_power_watts", "Power that the card draws."};

MetricWriter::Labels with(MetricWriter::Labels labels, std::string name, std::string value) {
  labels.push_back({std::move(name), std::move(value)});
  return labels;
}

void write_states(MetricWriter& writer, const CardSnapshot& card, const MetricWriter::Labels& labels) {
  static constexpr std::array kStates{CardState::kAbsent, CardState::kIdle, CardState::kLoading,
                                      CardState::kReady, CardState::kRecovering};
  for (const CardState state : kStates) {
    writer.gauge(kState, card.state.state == state ? 1.0 : 0.0,
                 with(labels, "state", std::string(card_link::name_of(state))));
  }
}

void write_slots(MetricWriter& writer, const Figures& figures, const MetricWriter::Labels& labels) {
  const CompleterFigures& c = figures.completer;
  writer.counter(kSlots, number(c.batches.value()), with(labels, "result", "done"));
  writer.counter(kSlots, number(c.not_loaded.value()), with(labels, "result", "not_loaded"));
  writer.counter(kSlots, number(c.failed.value()), with(labels, "result", "failed"));
  writer.counter(kSlots, number(c.timed_out.value()), with(labels, "result", "timeout"));
  writer.counter(kSlots, number(c.invalid.value()), with(labels, "result", "invalid"));
  writer.counter(kEvents, number(c.events.value()), labels);
  writer.gauge(kRuns, number(figures.runs_in_flight.load(std::memory_order_relaxed)), labels);
  writer.histogram(kLatency, c.submit_to_complete.snapshot(), labels);
  writer.histogram(kStage, c.queueing.snapshot(), with(labels, "stage", "queue"));
  writer.histogram(kStage, c.fabric.snapshot(), with(labels, "stage", "fabric"));
  writer.counter(kBytes, number(figures.taker.bytes_in.value()), with(labels, "direction", "to_card"));
  writer.counter(kBytes, number(c.bytes_out.value()), with(labels, "direction", "from_card"));
  writer.counter(kTransfer, seconds(figures.taker.copy_in_ns.value()), with(labels, "direction", "to_card"));
  writer.counter(kTransfer, seconds(c.copy_out_ns.value()), with(labels, "direction", "from_card"));
}

void write_swaps(MetricWriter& writer, const SupervisorFigures& s, const MetricWriter::Labels& labels) {
  static constexpr std::array kKinds{LoadKind::kNone, LoadKind::kTables, LoadKind::kBitstream};
  for (const LoadKind kind : kKinds) {
    const auto i = static_cast<std::size_t>(kind);
    const auto by_kind = with(labels, "kind", std::string(card_link::name_of(kind)));
    writer.counter(kSwaps, number(s.swaps[i].value()), by_kind);
    writer.histogram(kSwapTime, s.swap_times[i].snapshot(), by_kind);
    writer.gauge(kProgram, s.last_program_s[i].value(), by_kind);
    writer.gauge(kGoldenTime, s.last_golden_s[i].value(), by_kind);
  }
  writer.counter(kLoadsFailed, number(s.loads_failed.value()), labels);
  writer.counter(kGolden, number(s.golden_passed.value()), with(labels, "result", "passed"));
  writer.counter(kGolden, number(s.golden_failed.value()), with(labels, "result", "failed"));
}

void write_faults(MetricWriter& writer, const Figures& figures, const MetricWriter::Labels& labels) {
  const SupervisorFigures& s = figures.supervisor;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    writer.counter(kFaults, number(s.faults[i].value()),
                   with(labels, "kind", std::string(name_of(static_cast<FaultKind>(i)))));
  }
  writer.counter(kRecoveries, number(s.recoveries.value()), with(labels, "result", "recovered"));
  writer.counter(kRecoveries, number(s.recoveries_failed.value()), with(labels, "result", "failed"));
  writer.counter(kResets, number(s.resets.value()), labels);
  writer.counter(kJoins, number(figures.server.daemons.value()), with(labels, "role", "daemon"));
  writer.counter(kJoins, number(figures.server.operators.value()), with(labels, "role", "operator"));
  writer.counter(kRefused, number(figures.server.refused.value()), labels);
  writer.counter(kBroken, number(figures.taker.broken.value()), labels);
}

void write_sensors(MetricWriter& writer, const CardSnapshot& card, const MetricWriter::Labels& labels) {
  static constexpr std::string_view kPrefix = "temperature_";
  static constexpr std::string_view kSuffix = "_celsius";
  for (const card_link::Sensor& sensor : card.sensors) {
    if (sensor.name == "power_watts") {
      writer.gauge(kPower, sensor.value, labels);
    } else if (sensor.name.starts_with(kPrefix) && sensor.name.ends_with(kSuffix)) {
      writer.gauge(
          kTemperature, sensor.value,
          with(labels, "place",
               sensor.name.substr(kPrefix.size(), sensor.name.size() - kPrefix.size() - kSuffix.size())));
    }
  }
}

}  // namespace

void write_metrics(MetricWriter& writer, const Figures& figures, const CardSnapshot& card,
                   std::uint64_t daemon_pid) {
  const MetricWriter::Labels labels{{"card", card.device.address}, {"kernel", "kan_kernel"}};
  writer.info(kInfo, with(with(with(labels, "name", card.device.name), "platform", card.platform), "xclbin",
                          card.xclbin));
  for (const card_link::ModelStatus& model : card.models) {
    writer.info(kModel, {{"card", card.device.address},
                         {"bundle", model.bundle},
                         {"digest", model.digest},
                         {"bank", std::to_string(model.bank)},
                         {"load_id", std::to_string(model.load_id)}});
  }
  write_states(writer, card, labels);
  writer.gauge(kDaemon, daemon_pid != 0 ? 1.0 : 0.0, labels);
  writer.gauge(kUnits, number(card.compute_units), labels);
  write_slots(writer, figures, labels);
  write_swaps(writer, figures.supervisor, labels);
  write_faults(writer, figures, labels);
  write_sensors(writer, card, labels);
  telemetry::write_process_metrics(writer);
  telemetry::write_build_info(writer);
}

}  // namespace kantrig::card_host
