#include "picture/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "picture/colours.hpp"
#include "picture/svg.hpp"
#include "picture/ticks.hpp"

namespace kantrig::picture {
namespace {

constexpr double kWidth = 860.0;
constexpr double kPlotHeight = 400.0;
constexpr double kMargin = 24.0;
constexpr double kTitleSize = 18.0;
constexpr double kTextSize = 13.0;
constexpr double kLegendRow = 22.0;
constexpr double kSwatch = 26.0;  // a legend's piece of line
constexpr double kTickRoom = 26.0;
constexpr double kLabelRoom = 26.0;
constexpr std::size_t kManyPoints = 400;  // from here on they are small and pale
constexpr std::string_view kGrid = "#e4e4e4";
constexpr std::string_view kFrame = "#888888";

bool overlaps(const Rectangle& a, const Rectangle& b) noexcept {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

bool inside(const Rectangle& inner, const Rectangle& outer) noexcept {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width &&
         inner.y + inner.height <= outer.y + outer.height;
}

/// Where each series' name stands in the legend.
struct Legend {
  std::vector<Point> places;  // of the named series, in order
  double height = 0.0;
};

Legend lay_out_legend(const Chart& chart) {
  Legend legend;
  double x = kMargin;
  double y = 0.0;
  for (const Series& series : chart.series) {
    if (series.name.empty()) continue;
    const double width = kSwatch + 8.0 + text_width(series.name, kTextSize) + 20.0;
    if (x > kMargin && x + width > kWidth - kMargin) {
      x = kMargin;
      y += kLegendRow;
    }
    legend.places.push_back({x, y});
    x += width;
  }
  legend.height = legend.places.empty() ? 0.0 : y + kLegendRow;
  return legend;
}

Span span_of_axis(const Chart& chart, const Axis& axis, std::vector<double> Series::*values) {
  const bool is_x = values == &Series::x;
  std::vector<double> all;
  for (const Series& series : chart.series) {
    const std::size_t count = std::min(series.x.size(), series.y.size());
    for (std::size_t i = 0; i < count; ++i) {  // a point counts when both its coordinates can be shown
      const double other = is_x ? series.y[i] : series.x[i];
      if (can_show(other, is_x ? chart.y.scale : chart.x.scale)) all.push_back((series.*values)[i]);
    }
  }
  return span_of(all, axis.scale);
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart)
      : chart_(chart),
        legend_(lay_out_legend(chart)),
        x_span_(span_of_axis(chart, chart.x, &Series::x)),
        y_span_(span_of_axis(chart, chart.y, &Series::y)),
        y_ticks_(ticks(y_span_, chart.y.scale, 7)),
        plot_(plot_area()),
        svg_(kWidth, plot_.y + plot_.height + kTickRoom + kLabelRoom + 10.0, chart.title) {}

  std::string run();

 private:
  [[nodiscard]] Rectangle plot_area() const;
  [[nodiscard]] double x_of(double value) const {
    return plot_.x + plot_.width * share_of(value, x_span_, chart_.x.scale);
  }
  [[nodiscard]] double y_of(double value) const {
    return plot_.y + plot_.height * (1.0 - share_of(value, y_span_, chart_.y.scale));
  }

  void legend();
  void swatch(const Series& series, std::string_view colour, Point at);
  void axes();
  void draw_series(const Series& series, std::string_view colour);
  void points(const std::vector<Point>& places, const Series& series, std::string_view colour);
  void labels(const Series& series, std::string_view colour);
  void run_of_line(const std::vector<Point>& run, Mark mark, std::string_view colour);

  const Chart& chart_;
  Legend legend_;
  Span x_span_;
  Span y_span_;
  std::vector<Tick> y_ticks_;
  Rectangle plot_;
  Svg svg_;
  std::vector<Rectangle> taken_;  // by labels
};

Rectangle Drawing::plot_area() const {
  double widest = 0.0;
  for (const Tick& tick : y_ticks_) widest = std::max(widest, text_width(tick.label, 12.0));
  const double left = kMargin + (chart_.y.label.empty() ? 0.0 : kLabelRoom) + widest + 8.0;
  const double top = kMargin + kTitleSize + 14.0 + legend_.height;
  return {left, top, kWidth - kMargin - left, kPlotHeight};
}

void Drawing::swatch(const Series& series, std::string_view colour, Point at) {
  if (series.mark == Mark::kPoints) {
    svg_.circle({at.x + kSwatch / 2.0, at.y}, 4.5, {.fill = colour});
  } else {
    svg_.line(at.x, at.y, at.x + kSwatch, at.y, {.colour = colour, .width = 2.5});
  }
}

void Drawing::legend() {
  const double top = kMargin + kTitleSize + 10.0;
  std::size_t named = 0;
  for (std::size_t i = 0; i < chart_.series.size(); ++i) {
    const Series& series = chart_.series[i];
    if (series.name.empty()) continue;
    const Point at = legend_.places[named++];
    swatch(series, series_colour(i), {at.x, top + at.y + 8.0});
    svg_.text(at.x + kSwatch + 8.0, top + at.y + 12.5,
              fitted(series.name, kTextSize, kWidth - 2.0 * kMargin - kSwatch), {.size = kTextSize});
  }
}

void Drawing::axes() {
  const double bottom = plot_.y + plot_.height;
  for (const Tick& tick : ticks(x_span_, chart_.x.scale, 9)) {
    const double x = x_of(tick.value);
    svg_.line(x, plot_.y, x, bottom, {.colour = kGrid, .opacity = tick.label.empty() ? 0.5 : 1.0});
    svg_.line(x, bottom, x, bottom + (tick.label.empty() ? 3.0 : 5.0), {.colour = kFrame});
    svg_.text(x, bottom + 19.0, tick.label, {.size = 12.0, .fill = "#444444", .anchor = Anchor::kMiddle});
  }
  for (const Tick& tick : y_ticks_) {
    const double y = y_of(tick.value);
    svg_.line(plot_.x, y, plot_.x + plot_.width, y,
              {.colour = kGrid, .opacity = tick.label.empty() ? 0.5 : 1.0});
    svg_.line(plot_.x - (tick.label.empty() ? 3.0 : 5.0), y, plot_.x, y, {.colour = kFrame});
    svg_.text(plot_.x - 8.0, y + 4.0, tick.label, {.size = 12.0, .fill = "#444444", .anchor = Anchor::kEnd});
  }
  svg_.rectangle(plot_, {.fill = "none", .stroke = kFrame});
  svg_.text(plot_.x + plot_.width / 2.0, bottom + kTickRoom + 18.0,
            fitted(chart_.x.label, kTextSize, plot_.width), {.size = kTextSize, .anchor = Anchor::kMiddle});
  if (chart_.y.label.empty()) return;
  svg_.text(kMargin + 8.0, plot_.y + plot_.height / 2.0, fitted(chart_.y.label, kTextSize, plot_.height),
            {.size = kTextSize, .anchor = Anchor::kMiddle, .turn = -90.0});
}

void Drawing::run_of_line(const std::vector<Point>& run, Mark mark, std::string_view colour) {
  if (run.size() == 1) svg_.circle(run.front(), 2.5, {.fill = colour, .stroke = colour});
  if (run.size() < 2) return;
  if (mark == Mark::kLine) {
    svg_.polyline(run, {.colour = colour, .width = 2.0});
    return;
  }
  std::vector<Point> stairs;
  for (const Point& point : run) {
    if (!stairs.empty()) stairs.push_back({point.x, stairs.back().y});
    stairs.push_back(point);
  }
  svg_.polyline(stairs, {.colour = colour, .width = 2.0});
}

void Drawing::points(const std::vector<Point>& places, const Series& series, std::string_view colour) {
  const bool many = places.size() > kManyPoints;
  for (const Point& place : places) {
    svg_.circle(place, many ? 2.0 : 4.5, {.fill = colour, .opacity = many ? 0.5 : 0.9});
    if (!series.labels.empty()) taken_.push_back({place.x - 4.5, place.y - 4.5, 9.0, 9.0});
  }
}

void Drawing::draw_series(const Series& series, std::string_view colour) {
  std::vector<Point> places;
  std::vector<Point> run;
  const std::size_t count = std::min(series.x.size(), series.y.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (can_show(series.x[i], chart_.x.scale) && can_show(series.y[i], chart_.y.scale)) {
      run.push_back({x_of(series.x[i]), y_of(series.y[i])});
      places.push_back(run.back());
      continue;
    }
    if (series.mark != Mark::kPoints) run_of_line(run, series.mark, colour);
    run.clear();
  }
  if (series.mark == Mark::kPoints) {
    points(places, series, colour);
  } else {
    run_of_line(run, series.mark, colour);
  }
}

/// Each label beside its point where it covers nothing; a label without such a place is left out.
void Drawing::labels(const Series& series, std::string_view colour) {
  const std::size_t count = std::min({series.x.size(), series.y.size(), series.labels.size()});
  for (std::size_t i = 0; i < count; ++i) {
    if (series.labels[i].empty() || !can_show(series.x[i], chart_.x.scale) ||
        !can_show(series.y[i], chart_.y.scale))
      continue;
    const Point at{x_of(series.x[i]), y_of(series.y[i])};
    const double width = text_width(series.labels[i], 11.0);
    for (const Point& corner :
         {Point{at.x + 7.0, at.y - 13.0}, Point{at.x - 7.0 - width, at.y - 13.0},
          Point{at.x + 7.0, at.y + 2.0}, Point{at.x - 7.0 - width, at.y + 2.0},
          Point{at.x - width / 2.0, at.y - 20.0}, Point{at.x - width / 2.0, at.y + 7.0}}) {
      const Rectangle box{corner.x, corner.y, width, 13.0};
      const auto hit = [&](const Rectangle& other) { return overlaps(box, other); };
      if (!inside(box, plot_) || std::any_of(taken_.begin(), taken_.end(), hit)) continue;
      taken_.push_back(box);
      svg_.text(box.x, box.y + 11.0, series.labels[i], {.size = 11.0, .fill = colour});
      break;
    }
  }
}

std::string Drawing::run() {
  svg_.text(kMargin, kMargin + kTitleSize - 4.0, fitted(chart_.title, kTitleSize, kWidth - 2.0 * kMargin),
            {.size = kTitleSize, .bold = true});
  legend();
  axes();
  for (std::size_t i = 0; i < chart_.series.size(); ++i) draw_series(chart_.series[i], series_colour(i));
  for (std::size_t i = 0; i < chart_.series.size(); ++i) labels(chart_.series[i], series_colour(i));
  return svg_.done();
}

}  // namespace

std::string draw(const Chart& chart) {
  return Drawing(chart).run();
}

}  // namespace kantrig::picture
