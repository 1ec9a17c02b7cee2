#include "backend/card/seat_model.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::backend {

SeatModel::SeatModel(std::uint64_t load_id, kan::RecordLayout input, kan::RecordLayout output,
                     const kan::GoldenVectors& golden)
    : load_id_(load_id),
      input_(std::move(input)),
      output_(std::move(output)),
      events_(std::min(golden.count, kGoldenEventsMax)),
      codes_(golden.inputs.begin(),
             golden.inputs.begin() + static_cast<std::ptrdiff_t>(events_ * input_.fields.size())),
      expected_(events_ * output_.fields.size()),
      found_(expected_.size()) {
  const std::size_t outputs = output_.fields.size();
  for (std::size_t k = 0; k < outputs; ++k) {
    for (std::size_t i = 0; i < events_; ++i) expected_[k * events_ + i] = golden.outputs[i * outputs + k];
    found_columns_.push_back(&found_[k * events_]);
  }
}

std::uint32_t SeatModel::write_golden(std::span<std::byte> records, std::uint32_t events_max) const noexcept {
  const std::uint32_t events = std::min(events_, events_max);
  kan::pack_records(input_, codes_, events, records);
  return events;
}

bool SeatModel::is_golden(std::span<const std::byte> records, std::uint32_t events) noexcept {
  kan::unpack_records(output_, records, events, found_columns_);
  for (std::size_t k = 0; k < found_columns_.size(); ++k) {
    const auto begin = static_cast<std::ptrdiff_t>(k * events_);
    if (!std::equal(found_.begin() + begin, found_.begin() + begin + events, expected_.begin() + begin))
      return false;
  }
  return true;
}

}  // namespace kantrig::backend
