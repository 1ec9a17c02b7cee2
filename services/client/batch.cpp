#include "client/batch.hpp"

#include "base/assert.hpp"

namespace kantrig::client {
namespace {

Batch copied(std::span<const std::byte> bytes, std::size_t values, std::uint32_t feature_count,
             wire::Encoding encoding) {
  Batch batch;
  batch.payload = Payload::copy_of(bytes);
  batch.event_count = feature_count == 0 ? 0 : static_cast<std::uint32_t>(values / feature_count);
  batch.feature_count = feature_count;
  batch.encoding = encoding;
  return batch;
}

}  // namespace

Batch Batch::of_floats(std::span<const float> rows, std::uint32_t feature_count) {
  return copied(std::as_bytes(rows), rows.size(), feature_count, wire::Encoding::kFloat32);
}

Batch Batch::of_codes(std::span<const std::uint8_t> rows, std::uint32_t feature_count) {
  return copied(std::as_bytes(rows), rows.size(), feature_count, wire::Encoding::kCode8);
}

Batch Batch::of_codes(std::span<const std::uint16_t> rows, std::uint32_t feature_count) {
  return copied(std::as_bytes(rows), rows.size(), feature_count, wire::Encoding::kCode16);
}

BatchBuilder::BatchBuilder(std::uint32_t feature_count, std::uint32_t events_max)
    : feature_count_(feature_count), events_max_(events_max) {
  KANTRIG_ASSERT(feature_count > 0 && events_max > 0);
  values_.reserve(std::size_t{feature_count} * events_max);
}

void BatchBuilder::add(std::span<const float> row) {
  KANTRIG_ASSERT(!full() && row.size() == feature_count_);
  values_.insert(values_.end(), row.begin(), row.end());
}

std::uint32_t BatchBuilder::event_count() const noexcept {
  return static_cast<std::uint32_t>(values_.size() / feature_count_);
}

Batch BatchBuilder::take() {
  Batch batch = Batch::of_floats(values_, feature_count_);
  values_.clear();
  return batch;
}

}  // namespace kantrig::client
