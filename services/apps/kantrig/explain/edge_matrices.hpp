// EdgeMatrices: the part of a picture that shows what every edge adds to its node's sum, a matrix a layer.
#pragma once

#include <cstddef>
#include <span>

#include "apps/kantrig/explain/event_report.hpp"
#include "picture/svg.hpp"

namespace kantrig::apps {

/// The first layer's rows are the features, in the order and height of the table beside it; the other layers
/// follow below. A layer too large to be read is named and left to the JSON.
class EdgeMatrices {
 public:
  explicit EdgeMatrices(const EventReport& report) : report_(report) {}

  [[nodiscard]] double width() const;
  /// `features`: rows of the first layer.
  [[nodiscard]] double height(std::size_t features) const;
  /// `at`: upper left corner of the first cell; names of nodes stand above.
  void draw(picture::Svg& svg, picture::Point at, std::span<const std::size_t> features,
            double row_height) const;

 private:
  [[nodiscard]] bool readable(std::size_t layer) const;
  /// Rows are inputs of the layer, in the order given. Returns the lower end.
  double draw_layer(picture::Svg& svg, std::size_t layer, picture::Point at,
                    std::span<const std::size_t> inputs, double row_height) const;
  void draw_sums(picture::Svg& svg, std::size_t layer, picture::Point at) const;

  const EventReport& report_;
};

}  // namespace kantrig::apps
