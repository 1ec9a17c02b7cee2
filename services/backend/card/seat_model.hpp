// SeatModel: what a seat must know of a model that the card is ready with: where its fields lie, and the
// golden vectors that prove it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kan/bundle.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::backend {

/// Threading: made and destroyed by the control thread, owned by the shard's meanwhile.
class SeatModel {
 public:
  static constexpr std::uint32_t kGoldenEventsMax = 64;

  /// Precondition: the layouts fit the vectors, of which there is at least one.
  SeatModel(std::uint64_t load_id, kan::RecordLayout input, kan::RecordLayout output,
            const kan::GoldenVectors& golden);

  [[nodiscard]] std::uint64_t load_id() const noexcept { return load_id_; }
  [[nodiscard]] const kan::RecordLayout& input() const noexcept { return input_; }
  [[nodiscard]] const kan::RecordLayout& output() const noexcept { return output_; }

  /// Writes as many golden vectors as `records` has room for, padded to whole words, and returns how many.
  [[nodiscard]] std::uint32_t write_golden(std::span<std::byte> records,
                                           std::uint32_t events_max) const noexcept;
  /// True when `records` hold what the first `events` golden vectors must give.
  [[nodiscard]] bool is_golden(std::span<const std::byte> records, std::uint32_t events) noexcept;

 private:
  std::uint64_t load_id_;
  kan::RecordLayout input_;
  kan::RecordLayout output_;
  std::uint32_t events_;
  std::vector<std::uint16_t> codes_;    // rows
  std::vector<std::int16_t> expected_;  // output k of event i at k * events_ + i
  std::vector<std::int16_t> found_;     // the same
  std::vector<std::int16_t*> found_columns_;
};

}  // namespace kantrig::backend
