#include "picture/colours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace kantrig::picture {
namespace {

struct Rgb {
  double red;
  double green;
  double blue;
};

constexpr std::array<std::string_view, kSeriesColours> kSeries{"#33608c", "#c8553d", "#2f7a3d", "#8a4f94",
                                                               "#b58900", "#3aa6b9", "#777777"};
constexpr std::array<Rgb, 5> kAmount{
    {{247, 250, 240}, {199, 230, 204}, {116, 190, 190}, {52, 122, 168}, {24, 52, 104}}};
constexpr std::array<Rgb, 5> kSigned{
    {{38, 84, 140}, {134, 177, 214}, {250, 250, 250}, {236, 158, 128}, {170, 48, 36}}};

std::string between(std::span<const Rgb> stops, double share) {
  const double bounded = std::isnan(share) ? 0.0 : std::clamp(share, 0.0, 1.0);
  const double place = bounded * static_cast<double>(stops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double part = place - static_cast<double>(below);
  const auto mixed = [&](double Rgb::*channel) {
    return static_cast<int>(
        std::lround(stops[below].*channel * (1.0 - part) + stops[below + 1].*channel * part));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mixed(&Rgb::red), mixed(&Rgb::green), mixed(&Rgb::blue));
}

int hex_digit(char c) noexcept {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

}  // namespace

std::string_view series_colour(std::size_t index) noexcept {
  return kSeries[index % kSeries.size()];
}

std::string amount_colour(double share) {
  return between(kAmount, share);
}

std::string signed_colour(double share) {
  return between(kSigned, 0.5 + 0.5 * share);
}

std::string_view ink_on(std::string_view colour) noexcept {
  if (colour.size() != 7) return "#222222";
  const auto channel = [&](std::size_t at) { return 16 * hex_digit(colour[at]) + hex_digit(colour[at + 1]); };
  const int light = 299 * channel(1) + 587 * channel(3) + 114 * channel(5);  // ITU-R BT.601, in thousandths
  return light > 140'000 ? "#222222" : "#ffffff";
}

}  // namespace kantrig::picture
