// Bit operations of an event, three ways of computing the same model: what tables save.
#pragma once

#include "compiler/learned/learned_kan.hpp"

namespace kantrig::train {

/// A product of an m-bit and an n-bit number counts m n; values and coefficients without a width count 32.
/// Additions are the same in all three and are left out.
struct BitOperations {
  double recursion =
      0.0;  // Cox and de Boor for each edge, S (S + 1) products, then the sum over S + 1 functions
  double basis_tables = 0.0;  // the S + 1 values looked up, then that sum
  double edge_tables = 0.0;   // whole edges looked up: no product at all
};
[[nodiscard]] BitOperations count_bit_operations(const learned::LearnedKan& kan);

}  // namespace kantrig::train
