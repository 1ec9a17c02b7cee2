// What is done with scores that a card has decided: are they possible, and which class do they say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kan/model.hpp"

namespace kantrig::backend {

/// Threading: immutable.
class Scores {
 public:
  explicit Scores(const kan::Model& model);

  /// Classes of `events` events as kan::reference_class() defines them, from one column an output. Columns
  /// are read and classes written up to the next multiple of 64 events. False when a score is none that the
  /// model can give: nothing behind this point expects such a one.
  /// Precondition: the model has no output stage.
  [[nodiscard]] bool classify(std::span<const std::int16_t* const> columns, std::uint32_t events,
                              std::uint8_t* classes) const noexcept;

  /// The check alone, for the nodes of a model with an output stage too.
  [[nodiscard]] bool possible(std::span<const std::int16_t* const> columns,
                              std::uint32_t events) const noexcept;

 private:
  struct Range {
    std::int16_t low = 0;
    std::int16_t high = 0;
  };
  std::vector<Range> ranges_;  // one a node of the last layer
};

}  // namespace kantrig::backend
