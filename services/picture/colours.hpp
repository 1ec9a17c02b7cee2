// Colours that also the colour-blind tell apart (after P. Tol, "Colour Schemes", SRON/EPS/TN/09-002).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kantrig::picture {

/// The colour of series number `index`; they come again after kSeriesColours.
inline constexpr std::size_t kSeriesColours = 7;
[[nodiscard]] std::string_view series_colour(std::size_t index) noexcept;

/// From pale (0) to dark (1), for amounts.
[[nodiscard]] std::string amount_colour(double share);
/// From blue (-1) over white (0) to red (1), for what has a sign.
[[nodiscard]] std::string signed_colour(double share);
/// Black or white, whichever is better read on `colour`, which one of the two above has given.
[[nodiscard]] std::string_view ink_on(std::string_view colour) noexcept;

}  // namespace kantrig::picture
