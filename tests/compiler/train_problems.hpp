// Small learning problems for the tests of the trainer.
#pragma once

#include <cmath>
#include <numbers>
#include <string>

#include "compiler/learned/random.hpp"
#include "compiler/train/dataset.hpp"
#include "compiler/train/specification.hpp"

namespace kantrig::test {

/// Two interleaved half circles with noise: learnable, but by no straight cut (which gets about 0.87 right).
inline train::Dataset two_moons(std::size_t rows) {
  learned::Random random(17);
  train::Dataset data;
  data.name = "moons";
  data.columns = 2;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto moon = static_cast<std::uint8_t>(i % 2);
    const double angle = random.uniform(0.0, std::numbers::pi);
    const double noise_x = random.uniform(-0.25, 0.25);
    const double noise_y = random.uniform(-0.25, 0.25);
    const double x = moon == 0 ? std::cos(angle) : 1.0 - std::cos(angle);
    const double y = moon == 0 ? std::sin(angle) : 0.5 - std::sin(angle);
    data.values.push_back(static_cast<float>(x + noise_x));
    data.values.push_back(static_cast<float>(y + noise_y));
    data.classes.push_back(moon);
  }
  return data;
}

inline train::Specification moons_specification() {
  train::Specification specification;
  specification.name = "moons";
  specification.version = "0.1.0";
  specification.features = {{"x", "m"}, {"y", "m"}};
  specification.classes = {"upper", "lower"};
  specification.layers = {2, 4, 2};
  specification.bits = {6, 5, 7};
  specification.grid.size = 6;
  specification.training.epochs = 25;
  specification.training.batch_size = 64;
  specification.training.learning_rate = 1e-2;
  specification.training.learning_rate_decay = 0.93;
  specification.training.validation_fraction = 0.25;
  return specification;
}

}  // namespace kantrig::test
