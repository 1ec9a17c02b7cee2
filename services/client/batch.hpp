// Batch: what a client submits. BatchBuilder: makes one of rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace kantrig::client {

/// The values of a batch, event_count x feature_count, row by row. Without a copy: Payload::borrowed(), or
/// Payload::with_size() and then filling in writable().
using Payload = wire::Frame;

struct Batch {
  Payload payload;
  std::uint32_t event_count = 0;
  std::uint32_t feature_count = 0;
  wire::Encoding encoding = wire::Encoding::kFloat32;
  std::optional<std::uint64_t> first_event_id = std::nullopt;  // empty: goes on from the batch before
  RunNumber run = {};                                          // 0: whatever run is on
  bool want_lines = false;
  bool want_classes = false;
  bool want_scores = false;

  /// Copies `rows`: floats in physical units, one row of `feature_count` an event.
  [[nodiscard]] static Batch of_floats(std::span<const float> rows, std::uint32_t feature_count);
  /// Copies `rows`: one byte a feature, already quantised.
  [[nodiscard]] static Batch of_codes(std::span<const std::uint8_t> rows, std::uint32_t feature_count);
  /// Copies `rows`: two bytes a feature, already quantised.
  [[nodiscard]] static Batch of_codes(std::span<const std::uint16_t> rows, std::uint32_t feature_count);
};

/// Collects events one by one.
class BatchBuilder {
 public:
  BatchBuilder(std::uint32_t feature_count, std::uint32_t events_max);
  /// Precondition: !full() and row.size() == feature_count.
  void add(std::span<const float> row);
  [[nodiscard]] bool full() const noexcept { return event_count() >= events_max_; }
  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] std::uint32_t event_count() const noexcept;
  /// The events so far as a batch; the builder is empty again.
  [[nodiscard]] Batch take();

 private:
  std::uint32_t feature_count_;
  std::uint32_t events_max_;
  std::vector<float> values_;
};

}  // namespace kantrig::client
