#include "support/test_card.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace kantrig::test {
namespace {

using card_link::Completion;
using card_link::SlotStatus;
using card_link::Submission;
using card_link::Take;

constexpr std::uint32_t kEventsMax = 1U << 16U;

std::uint32_t signed_width(std::int32_t low, std::int32_t high) {
  std::uint32_t width = 1;
  while (low < -(1 << (width - 1)) || high > (1 << (width - 1)) - 1) ++width;
  return width;
}

kan::RecordLayout dense(const std::vector<std::uint32_t>& widths) {
  kan::RecordLayout layout;
  std::uint32_t end = 0;
  for (const std::uint32_t width : widths) {
    layout.fields.push_back({end, width});
    end += width;
  }
  layout.record_bits = end > 512 ? (end + 511) / 512 * 512 : std::max(8U, std::bit_ceil(end));
  return layout;
}

std::uint32_t field_of(std::span<const std::byte> record, kan::RecordField field) {
  std::uint32_t value = 0;
  for (std::uint32_t b = 0; b < field.width; ++b) {
    const std::uint32_t bit = field.offset + b;
    value |= (std::to_integer<std::uint32_t>(record[bit / 8]) >> bit % 8 & 1U) << b;
  }
  return value;
}

}  // namespace

kan::RecordLayout dense_input(const kan::Model& model) {
  std::vector<std::uint32_t> widths;
  for (const kan::InputFeature& input : model.inputs) widths.push_back(input.bits);
  return dense(widths);
}

kan::RecordLayout dense_output(const kan::Model& model) {
  std::vector<std::uint32_t> widths;
  for (const kan::Node& node : model.layers.back().nodes) widths.push_back(signed_width(node.low, node.high));
  return dense(widths);
}

void TestCard::load(std::uint64_t load_id, const kan::Model& model, kan::RecordLayout input,
                    kan::RecordLayout output) {
  kan::Model nodes = model;  // a card ends at the last layer
  if (nodes.output_stage) nodes.output_scales.assign(nodes.node_count(), 1.0);
  nodes.output_stage.reset();
  Loaded loaded;
  loaded.evaluator = std::make_unique<kan::Evaluator>(kan::Evaluator::create(nodes, "scalar").value());
  loaded.space = std::make_unique<kan::Workspace>(*loaded.evaluator, kEventsMax);
  loaded.input = std::move(input);
  loaded.output = std::move(output);
  models_[load_id] = std::move(loaded);
}

void TestCard::decide(Loaded& model, const Submission& slot, card_link::CardPort& port) {
  const auto input = port.input(slot.slot);
  std::vector<std::uint16_t> rows;
  for (std::uint32_t i = 0; i < slot.events; ++i) {
    const auto record = input.subspan(i * model.input.record_bytes(), model.input.record_bytes());
    for (const kan::RecordField field : model.input.fields)
      rows.push_back(static_cast<std::uint16_t>(field_of(record, field)));
  }
  model.evaluator->load_code16(std::as_bytes(std::span(rows)), slot.events, *model.space);
  model.evaluator->evaluate(*model.space);
  std::vector<std::uint16_t> scores;
  const bool impossible = fault == CardFault::kImpossible;
  for (std::uint32_t i = 0; i < slot.events; ++i) {
    for (std::uint32_t k = 0; k < model.output.fields.size(); ++k)
      scores.push_back(impossible ? static_cast<std::uint16_t>(1U << (model.output.fields[k].width - 1))
                                  : static_cast<std::uint16_t>(model.space->outputs(k)[i]));
  }
  kan::pack_records(model.output, scores, slot.events, port.output(slot.slot));
  events += slot.events;
}

std::size_t TestCard::serve(card_link::Region& region, std::uint32_t port_number, card_link::CardPort& port,
                            std::uint64_t now_ns) {
  std::size_t count = 0;
  Submission slot;
  while (fault != CardFault::kDeaf && port.take(slot) == Take::kSlot) {
    const CardFault now = fault;
    if (now == CardFault::kSilent) continue;
    Completion done{.slot = slot.slot, .status = SlotStatus::kDone};
    done.submit_ns = slot.submit_ns;
    done.taken_ns = done.copied_in_ns = done.started_ns = done.finished_ns = done.completed_ns = now_ns;
    const auto model = models_.find(slot.load_id);
    if (model == models_.end() || now == CardFault::kNotLoaded) {
      done.status = SlotStatus::kNotLoaded;
    } else {
      decide(model->second, slot, port);
    }
    const bool flip =
        now == CardFault::kFlipBit || (now == CardFault::kFlipLiveBit && slot.events != golden_events);
    if (flip) port.output(slot.slot)[0] ^= std::byte{1};
    if (now == CardFault::kFail) {
      done.status = SlotStatus::kFailed;
      done.error = EIO;
    }
    if (now == CardFault::kTimeout) done.status = SlotStatus::kTimeout;
    port.complete(done);
    ++count;
    card_link::SharedRing& ring = region.port(port_number).completions;
    if (now == CardFault::kBrokenRing) ring.slots[(ring.tail - 1) % card_link::kSlotsMax] = 0xFFFF'FFFF;
    if (now == CardFault::kTwice) {
      ring.slots[ring.tail % card_link::kSlotsMax] = slot.slot;
      ring.tail.fetch_add(1);
    }
  }
  return count;
}

}  // namespace kantrig::test
