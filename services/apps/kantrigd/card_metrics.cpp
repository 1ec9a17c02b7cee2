#include "apps/kantrigd/card_metrics.hpp"

#include <array>
#include <string>

namespace kantrig::apps {
namespace {

using base::HistogramSnapshot;
using control::Breaker;
using telemetry::Metric;
using telemetry::MetricWriter;
using telemetry::number;
using telemetry::seconds;

constexpr Metric kInfo{"kantrig_card_link_info", "The cards of this daemon, by the socket of their process."};
constexpr Metric kBreaker{"kantrig_card_link_breaker_state",
                          "1 for the state that the breaker is in: closed lets batches through, half_open "
                          "joins, loads and proves, open waits."};
constexpr Metric kOpened{"kantrig_card_link_opened_total", "How often the breaker opened, by reason."};
constexpr Metric kJoins{"kantrig_card_link_joins_total", "How often the card's process let the daemon join."};
constexpr Metric kLoads{"kantrig_card_link_loads_total",
                        "Models that the card was loaded with, by what it took."};
constexpr Metric kLoadsFailed{"kantrig_card_link_loads_failed_total", "Models that the card did not take."};
constexpr Metric kLoadTime{"kantrig_card_link_last_load_seconds",
                           "Time of the last load, from the order until the golden vectors were right."};
constexpr Metric kProgramTime{"kantrig_card_link_last_program_seconds",
                              "Of that, writing tables or loading the xclbin."};
constexpr Metric kRoute{"kantrig_card_link_route", "1 for the route that is chosen."};
constexpr Metric kInFlight{"kantrig_card_link_slots_in_flight", "Slots that the card has."};
constexpr Metric kStages{
    "kantrig_card_link_slot_seconds",
    "Time of a slot: whole (submission to taken back), and of it queueing, copy_in, fabric "
    "and copy_out as the card tells them."};
constexpr Metric kBatches{"kantrig_card_link_batches_total", "Batches that the card decided."};
constexpr Metric kEvents{"kantrig_card_link_events_total", "Events that the card decided."};
constexpr Metric kSlots{"kantrig_card_link_slots_total", "Slots that came back decided; batches share them."};
constexpr Metric kTakenOver{"kantrig_card_link_taken_over_batches_total",
                            "Batches that were begun on the card and decided on the CPU."};
constexpr Metric kTakenOverEvents{"kantrig_card_link_taken_over_events_total", "Events of these."};
constexpr Metric kPassedOver{"kantrig_card_link_passed_over_batches_total",
                             "Batches for the card that found no free slot: the CPU decided."};
constexpr Metric kCanaries{"kantrig_card_link_canaries_total", "Golden vectors sent to the card, by result."};
constexpr Metric kChecked{"kantrig_card_link_cross_checked_events_total",
                          "Events that card and CPU both decided, to compare."};
constexpr Metric kCheckFailures{"kantrig_card_link_cross_check_failures_total",
                                "Batches in which they did not agree; the CPU's decision was given."};

void write_figures(const control::CardStatus& card, MetricWriter& writer) {
  const control::CardFigures& figures = card.figures;
  const telemetry::Label socket{"socket", figures.socket};
  writer.info(kInfo, {socket, {"device", figures.device}});
  for (const Breaker state : {Breaker::kOpen, Breaker::kHalfOpen, Breaker::kClosed})
    writer.gauge(kBreaker, figures.breaker == state ? 1.0 : 0.0,
                 {socket, {"state", std::string(control::name_of(state))}});
  for (const backend::Route route : {backend::Route::kAuto, backend::Route::kCpu, backend::Route::kCard})
    writer.gauge(kRoute, card.route == route ? 1.0 : 0.0,
                 {socket, {"route", std::string(control::name_of_route(route))}});
  const std::vector<std::string> reasons = control::open_reasons();
  for (std::size_t i = 0; i < reasons.size(); ++i)
    writer.counter(kOpened, number(figures.opened[i]), {socket, {"reason", reasons[i]}});
  for (std::size_t i = 1; i < std::size(figures.loads); ++i) {
    const auto kind = static_cast<card_link::LoadKind>(i);
    writer.counter(kLoads, number(figures.loads[i]),
                   {socket, {"kind", std::string(card_link::name_of(kind))}});
  }
  writer.counter(kLoadsFailed, number(figures.loads_failed), {socket});
  writer.counter(kJoins, number(figures.joins), {socket});
  writer.gauge(kLoadTime, seconds(figures.last_load_ns), {socket});
  writer.gauge(kProgramTime, seconds(figures.last_program_ns), {socket});
}

void write_sums(const control::CardStatus& card, MetricWriter& writer) {
  const telemetry::Label socket{"socket", card.figures.socket};
  writer.gauge(kInFlight, card.slots_in_flight, {socket});
  writer.counter(kBatches, number(card.batches), {socket});
  writer.counter(kEvents, number(card.events), {socket});
  writer.counter(kSlots, number(card.slots), {socket});
  writer.counter(kTakenOver, number(card.taken_over_batches), {socket});
  writer.counter(kTakenOverEvents, number(card.taken_over_events), {socket});
  writer.counter(kPassedOver, number(card.passed_over_batches), {socket});
  writer.counter(kCanaries, number(card.canaries_passed), {socket, {"result", "passed"}});
  writer.counter(kCanaries, number(card.canaries_failed), {socket, {"result", "failed"}});
  writer.counter(kChecked, number(card.cross_checked_events), {socket});
  writer.counter(kCheckFailures, number(card.cross_check_failures), {socket});
}

void write_stages(const Cards::Card& card, MetricWriter& writer) {
  using Stage = std::pair<const char*, base::LatencyHistogram backend::SeatProbe::*>;
  constexpr std::array<Stage, 5> kStagesOfASlot{{{"whole", &backend::SeatProbe::slot},
                                                 {"queueing", &backend::SeatProbe::queueing},
                                                 {"copy_in", &backend::SeatProbe::copy_in},
                                                 {"fabric", &backend::SeatProbe::fabric},
                                                 {"copy_out", &backend::SeatProbe::copy_out}}};
  for (const auto& [name, histogram] : kStagesOfASlot) {
    HistogramSnapshot sum;
    for (const control::CardSupervisor::Seat& seat : card.seats)
      sum.merge((seat.seat->probe().*histogram).snapshot());
    writer.histogram(kStages, sum,
                     {{"socket", card.supervisor->figures().socket}, {"stage", std::string(name)}});
  }
}

}  // namespace

void write_card_metrics(const Cards& cards, MetricWriter& writer) {
  for (const control::CardStatus& card : cards.status()) {
    write_figures(card, writer);
    write_sums(card, writer);
  }
  for (const Cards::Card& card : cards.all()) write_stages(card, writer);
}

}  // namespace kantrig::apps
