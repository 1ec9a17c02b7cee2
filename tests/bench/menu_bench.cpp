// How long the menu takes for an event: the shipped menu on five columns of scores. Answers are checked
// before timing.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "menu/menu.hpp"

namespace {

using kantrig::menu::Menu;
using kantrig::menu::MenuWorkspace;

constexpr double kScale = 0.0625;
constexpr std::size_t kOutputs = 5;
constexpr std::size_t kEventsMax = 4096;

struct Columns {
  std::vector<std::vector<std::int16_t>> scores{kOutputs, std::vector<std::int16_t>(kEventsMax)};
  std::vector<std::uint8_t> classes = std::vector<std::uint8_t>(kEventsMax);
  std::vector<const std::int16_t*> pointers;

  /// One class stands out of normal noise, as in a trained model.
  Columns() {
    std::mt19937_64 random(1);
    std::normal_distribution<double> noise(-10.0, 12.0);
    for (std::size_t e = 0; e < kEventsMax; ++e) {
      const std::size_t chosen = random() % kOutputs;
      for (std::size_t k = 0; k < kOutputs; ++k) {
        const double y = noise(random) + (k == chosen ? 30.0 : 0.0);
        scores[k][e] = static_cast<std::int16_t>(std::clamp(y, -128.0, 127.0));
        if (scores[k][e] > scores[classes[e]][e]) classes[e] = static_cast<std::uint8_t>(k);
      }
    }
    for (const auto& column : scores) pointers.push_back(column.data());
  }

  [[nodiscard]] double probability(std::size_t k, std::size_t e) const {
    double sum = 0.0;
    for (std::size_t j = 0; j < kOutputs; ++j) sum += std::exp(kScale * (scores[j][e] - scores[k][e]));
    return 1.0 / sum;
  }
};

Menu shipped_menu() {
  std::ifstream file(KANTRIG_SOURCE_DIR "/config/menu.toml");
  std::stringstream text;
  text << file.rdbuf();
  auto menu = Menu::compile(
      text.str(),
      {{"g", "q", "t", "w", "z"}, std::vector<kantrig::menu::ScoreRange>(kOutputs, {-128, 127, kScale})},
      "config/menu.toml");
  if (!menu) {
    std::fprintf(stderr, "%s\n", menu.error().message.c_str());
    std::exit(1);
  }
  return std::move(*menu);
}

/// The first two lines of the shipped menu, event by event, in double precision.
bool answers_are_right(const Menu& menu, const Columns& columns, MenuWorkspace& workspace) {
  menu.decide({.scores = columns.pointers,
               .classes = columns.classes.data(),
               .malformed = {},
               .event_count = kEventsMax,
               .first_event_id = 0,
               .column = 0},
              workspace);
  std::vector<std::uint64_t> lines(kEventsMax);
  workspace.write_line_bits(lines);
  for (std::size_t e = 0; e < kEventsMax; ++e) {
    const std::size_t best = columns.classes[e];
    const double p = columns.probability(best, e);
    const bool top = best == 2 && p >= 0.6;
    const bool boson = best >= 3 && p >= 0.5;
    if ((lines[e] & 3U) != (top ? 1U : 0U) + (boson ? 2U : 0U)) return false;
  }
  return true;
}

void decide(benchmark::State& state, std::uint32_t column, bool with_line_bits) {
  const Menu menu = shipped_menu();
  const Columns columns;
  MenuWorkspace workspace(menu, kEventsMax);
  if (!answers_are_right(menu, columns, workspace)) {
    state.SkipWithError("wrong answer");
    return;
  }
  const auto events = static_cast<std::uint32_t>(state.range(0));
  std::vector<std::uint64_t> lines(events);
  std::uint64_t first_event_id = 1;
  for (auto step : state) {
    menu.decide({.scores = columns.pointers,
                 .classes = columns.classes.data(),
                 .malformed = {},
                 .event_count = events,
                 .first_event_id = first_event_id,
                 .column = column},
                workspace);
    if (with_line_bits) workspace.write_line_bits(lines);
    benchmark::DoNotOptimize(workspace.accepted().data());
    benchmark::ClobberMemory();
    first_event_id += events;
  }
  state.SetItemsProcessed(state.iterations() * events);
}

}  // namespace

BENCHMARK_CAPTURE(decide, physics, 0, false)->Arg(1)->Arg(64)->Arg(1024)->Arg(4096);
BENCHMARK_CAPTURE(decide, calibration, 1, false)->Arg(4096);
BENCHMARK_CAPTURE(decide, physics_and_line_bits, 0, true)->Arg(1)->Arg(64)->Arg(4096);
