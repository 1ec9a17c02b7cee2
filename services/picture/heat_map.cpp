#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.hpp"
#include "picture/chart.hpp"
#include "picture/colours.hpp"
#include "picture/svg.hpp"
#include "picture/ticks.hpp"

namespace kantrig::picture {
namespace {

constexpr double kMargin = 24.0;
constexpr double kTitleSize = 18.0;
constexpr double kTextSize = 13.0;
constexpr double kNumberSize = 12.5;
constexpr double kNameRoomMax = 220.0;  // of rows' and columns' names
constexpr double kMapWidthMax = 1'400.0;
constexpr double kBarRoom = 100.0;  // the colour bar at the right
constexpr std::uint32_t kDecimalsMax = 12;

double widest(const std::vector<std::string>& names) {
  double width = 0.0;
  for (const std::string& name : names) width = std::max(width, text_width(name, kTextSize));
  return std::min(width, kNameRoomMax);
}

class Drawing {
 public:
  explicit Drawing(const HeatMap& map)
      : map_(map),
        decimals_(std::min(map.decimals, kDecimalsMax)),
        columns_(std::max<std::size_t>(map.columns.size(), 1)),
        rows_(std::max<std::size_t>(map.rows.size(), 1)),
        cell_(cell_size()),
        turned_(widest(map.columns) > cell_.x - 4.0),
        left_(kMargin + (map.y_label.empty() ? 0.0 : 26.0) + widest(map.rows) + 10.0),
        top_(kMargin + kTitleSize + 20.0),
        width_(cell_.x * static_cast<double>(columns_)),
        height_(cell_.y * static_cast<double>(rows_)),
        names_(turned_ ? widest(map.columns) + 12.0 : 26.0),
        svg_(picture_width(), top_ + height_ + names_ + (map.x_label.empty() ? 8.0 : 34.0), map.title) {
    find_ends();
  }

  std::string run();

 private:
  [[nodiscard]] Point cell_size() const;
  [[nodiscard]] double picture_width() const {
    return std::max(left_ + width_ + kBarRoom + kMargin,
                    std::min(2.0 * kMargin + text_width(map_.title, kTitleSize), 1'000.0));
  }
  [[nodiscard]] std::string number(double value) const { return fmt::format("{:.{}f}", value, decimals_); }
  [[nodiscard]] Rectangle cell(std::size_t index) const {
    return {left_ + cell_.x * static_cast<double>(index % columns_),
            top_ + cell_.y * static_cast<double>(index / columns_), cell_.x, cell_.y};
  }

  void find_ends();
  void cells();
  void names();
  void colour_bar();

  const HeatMap& map_;
  std::uint32_t decimals_;
  std::size_t columns_;
  std::size_t rows_;
  Point cell_;  // width and height of one
  bool turned_;
  double left_;
  double top_;
  double width_;
  double height_;
  double names_;  // height of the columns' names
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
  Svg svg_;
};

/// Wide enough for the numbers, as far as the whole stays a picture that one can look at.
Point Drawing::cell_size() const {
  double room = 48.0;
  for (const double value : map_.values) {
    if (std::isfinite(value)) room = std::max(room, text_width(number(value), kNumberSize) + 14.0);
  }
  room = std::max(room, std::min(widest(map_.columns) + 10.0, 90.0));
  const double width = std::clamp(kMapWidthMax / static_cast<double>(columns_), 3.0, room);
  const double height = std::clamp(kMapWidthMax / 2.0 / static_cast<double>(rows_), 3.0, 40.0);
  return {width, height};
}

void Drawing::find_ends() {
  for (const double value : map_.values) {
    if (!std::isfinite(value)) continue;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
}

void Drawing::cells() {
  for (std::size_t i = 0; i < map_.values.size(); ++i) {
    const double value = map_.values[i];
    const Rectangle area = cell(i);
    if (!std::isfinite(value)) {
      svg_.rectangle(area, {.fill = "#eeeeee", .tip = "nothing here"});
      svg_.line(area.x + 4.0, area.y + area.height - 4.0, area.x + area.width - 4.0, area.y + 4.0,
                {.colour = "#cccccc"});
      continue;
    }
    const std::string colour = amount_colour(high_ > low_ ? (value - low_) / (high_ - low_) : 0.5);
    const std::string words = number(value);
    svg_.rectangle(area, {.fill = colour, .tip = words});
    if (text_width(words, kNumberSize) > area.width || area.height < kNumberSize + 2.0) continue;
    svg_.text(area.x + area.width / 2.0, area.y + area.height / 2.0 + 4.5, words,
              {.size = kNumberSize, .fill = ink_on(colour), .anchor = Anchor::kMiddle});
  }
  if (map_.marked && *map_.marked < map_.values.size()) {
    svg_.rectangle(cell(*map_.marked), {.fill = "none", .stroke = "#c8553d", .stroke_width = 3.5});
  }
}

void Drawing::names() {
  const double bottom = top_ + height_;
  const auto every = static_cast<std::size_t>(std::ceil(15.0 / (turned_ ? cell_.x : 1e9)));
  for (std::size_t c = 0; c < map_.columns.size(); c += std::max<std::size_t>(every, 1)) {
    const double x = left_ + cell_.x * (static_cast<double>(c) + 0.5);
    if (turned_) {
      svg_.text(x + 4.0, bottom + 8.0, fitted(map_.columns[c], kTextSize, kNameRoomMax),
                {.size = kTextSize, .anchor = Anchor::kEnd, .turn = -90.0});
    } else {
      svg_.text(x, bottom + 18.0, map_.columns[c], {.size = kTextSize, .anchor = Anchor::kMiddle});
    }
  }
  const auto row_every = static_cast<std::size_t>(std::ceil(15.0 / cell_.y));
  for (std::size_t r = 0; r < map_.rows.size(); r += std::max<std::size_t>(row_every, 1)) {
    svg_.text(left_ - 8.0, top_ + cell_.y * (static_cast<double>(r) + 0.5) + 4.5,
              fitted(map_.rows[r], kTextSize, kNameRoomMax), {.size = kTextSize, .anchor = Anchor::kEnd});
  }
  svg_.text(left_ + width_ / 2.0, bottom + names_ + 18.0, map_.x_label,
            {.size = kTextSize, .fill = "#444444", .anchor = Anchor::kMiddle});
  if (map_.y_label.empty()) return;
  svg_.text(kMargin + 10.0, top_ + height_ / 2.0, map_.y_label,
            {.size = kTextSize, .fill = "#444444", .anchor = Anchor::kMiddle, .turn = -90.0});
}

void Drawing::colour_bar() {
  if (!(high_ > low_)) return;
  constexpr int kSteps = 64;
  const double x = left_ + width_ + 20.0;
  const double step = height_ / kSteps;
  for (int i = 0; i < kSteps; ++i) {
    const std::string colour = amount_colour(1.0 - (i + 0.5) / kSteps);
    svg_.rectangle({x, top_ + step * i, 14.0, step + 0.5}, {.fill = colour, .stroke = "none"});
  }
  const Span span{low_, high_};
  for (const Tick& tick : ticks(span, Scale::kLinear, 6)) {
    const double y = top_ + height_ * (1.0 - share_of(tick.value, span, Scale::kLinear));
    svg_.line(x + 14.0, y, x + 18.0, y, {.colour = "#888888"});
    svg_.text(x + 22.0, y + 4.0, tick.label, {.size = 11.0, .fill = "#444444"});
  }
}

std::string Drawing::run() {
  svg_.text(kMargin, kMargin + kTitleSize - 4.0,
            fitted(map_.title, kTitleSize, picture_width() - 2.0 * kMargin),
            {.size = kTitleSize, .bold = true});
  cells();
  names();
  colour_bar();
  return svg_.done();
}

}  // namespace

std::string draw(const HeatMap& map) {
  KANTRIG_ASSERT(map.values.size() == map.rows.size() * map.columns.size());
  return Drawing(map).run();
}

}  // namespace kantrig::picture
