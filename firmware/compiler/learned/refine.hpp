// Other grids and fewer bits for a learned model.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "compiler/learned/learned_kan.hpp"

namespace kantrig::learned {

struct Refined {
  LearnedKan kan;
  double residual_max = 0.0;  // of any edge, r.m.s. over the grid
};

/// The same functions on uniform grids of `cells` cells, fitted by least squares inside the grid (pykan,
/// arXiv 2404.19756, section 2.4); a layer whose inputs have knots of their own gets one grid over all of
/// them. Exact where the new knots contain the old.
[[nodiscard]] Result<Refined> with_grid(const LearnedKan& kan, std::uint32_t cells);

struct LowBits {
  std::uint32_t basis_bits = 0;        // 0: exact
  std::uint32_t coefficient_bits = 0;  // of coefficients and weights; 0: exact
};

/// Rounds coefficients and weights of each layer to signed integers of so many bits times one scale, and lets
/// the values of its basis functions be rounded to multiples of 1 / (2^bits - 1) (after KANtize, arXiv
/// 2603.17230).
void use_low_bits(LearnedKan& kan, const LowBits& bits);

}  // namespace kantrig::learned
