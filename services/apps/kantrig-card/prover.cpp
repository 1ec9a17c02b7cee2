#include "apps/kantrig-card/prover.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <optional>

#include "card_link/region.hpp"
#include "kan/record_layout.hpp"
#include "kan/reference.hpp"

namespace kantrig::card_host {
namespace {

/// Results of a batch as replay_golden() reads them: columns of outputs, and classes.
class Columns {
 public:
  explicit Columns(const kan::Model& model)
      : model_(model), scores_(std::size_t{model.node_count()} * kan::kGoldenBatchEvents) {
    for (std::uint32_t k = 0; k < model.node_count(); ++k)
      into_.push_back(scores_.data() + std::size_t{k} * kan::kGoldenBatchEvents);
    from_.assign(into_.begin(), into_.begin() + model.output_count());
  }
  kan::BatchResults read(const kan::RecordLayout& layout, std::span<const std::byte> records,
                         std::span<const std::uint16_t> codes, std::uint32_t events) {
    kan::unpack_records(layout, records, events, into_);
    const std::size_t inputs = model_.input_count();
    std::vector<std::int16_t> row;
    for (std::uint32_t i = 0; i < events; ++i) {
      row.clear();
      for (const std::int16_t* column : into_) row.push_back(column[i]);
      if (model_.output_stage) {
        row = {kan::reference_score(model_, codes.subspan(i * inputs, inputs), row)};
        into_.front()[i] = row.front();
      }
      classes_[i] = kan::reference_class(model_, row);
    }
    return {from_, classes_.data(), 0};
  }

 private:
  const kan::Model& model_;
  std::vector<std::int16_t>
      scores_;  // of the nodes of the last layer; a distance takes the first one's place
  std::vector<std::int16_t*> into_;
  std::vector<const std::int16_t*> from_;
  std::array<std::uint8_t, kan::kGoldenBatchEvents> classes_{};
};

}  // namespace

DeviceResult<std::unique_ptr<Prover>> Prover::create(std::shared_ptr<const Fabric> fabric,
                                                     const kan::CardImage& image, const base::Clock& clock,
                                                     Options options) {
  std::unique_ptr<Prover> prover(new Prover(std::move(fabric), clock, options));
  for (std::size_t unit = 0; unit < prover->fabric_->compute_units(); ++unit) {
    auto made = prover->make_unit(unit, image);
    if (!made) return tl::unexpected<Fault>(made.error());
    prover->units_.push_back(std::move(*made));
  }
  return prover;
}

DeviceResult<Prover::Unit> Prover::make_unit(std::size_t unit, const kan::CardImage& image) const {
  Unit made;
  const auto make = [&](Buffer& buffer, Fabric::Use use, std::size_t bytes) -> DeviceResult<void> {
    auto result = fabric_->make_buffer(unit, use, card_link::whole_pages(bytes));
    if (!result) return tl::unexpected<Fault>(result.error());
    buffer = std::move(*result);
    return {};
  };
  const auto run = [&](Run& into, const Buffer& input) -> DeviceResult<void> {
    auto result = fabric_->make_run(unit, input, made.output);
    if (!result) return tl::unexpected<Fault>(result.error());
    into = std::move(*result);
    return {};
  };
  const std::size_t events = kan::kGoldenBatchEvents;
  if (auto ok = make(made.input, Fabric::Use::kInput, image.input.buffer_bytes(events)); !ok)
    return tl::unexpected<Fault>(ok.error());
  if (auto ok = make(made.output, Fabric::Use::kOutput, image.output.buffer_bytes(events)); !ok)
    return tl::unexpected<Fault>(ok.error());
  if (auto ok = run(made.decide, made.input); !ok) return tl::unexpected<Fault>(ok.error());
  if (!image.overlay) return made;
  if (auto ok = make(made.tables, Fabric::Use::kInput, std::size_t{image.table_words} * 4); !ok)
    return tl::unexpected<Fault>(ok.error());
  if (auto ok = run(made.load, made.tables); !ok) return tl::unexpected<Fault>(ok.error());
  return made;
}

DeviceResult<void> Prover::finish(Run& run, std::size_t unit) const {
  const std::uint64_t begin_ns = clock_.now_ns();
  for (;;) {
    const auto state = run.wait(std::chrono::milliseconds(1));
    if (!state) return tl::unexpected<Fault>(state.error());
    if (*state == RunState::kDone) break;
    if (clock_.now_ns() - begin_ns > options_.deadline_ns)
      return fault(FaultKind::kTimeout, "compute unit {}: a run of our own took more than {} ms", unit,
                   options_.deadline_ns / 1'000'000);
  }
  // Of the latest run, ours or one of the daemon's: no run of this program may end with an error.
  const auto error = fabric_->read_register(unit, card::offset_of("error"));
  if (!error) return tl::unexpected<Fault>(error.error());
  if (*error != 0)
    return fault(FaultKind::kIo, "compute unit {}: register error reads {:#x}, expected 0", unit, *error);
  return {};
}

DeviceResult<void> Prover::write_tables(const CardBundle& bundle, std::uint32_t bank) {
  const std::size_t bytes = bundle.tables.size() * sizeof(std::uint32_t);
  if (bundle.image.table_words != bundle.tables.size() || units_.front().tables.memory().size() < bytes)
    return fault(FaultKind::kRefused, "bundle {}: {} table words, expected as many as the loaded overlay has",
                 bundle.bundle.full_name(), bundle.tables.size());
  const RunArguments arguments{.events = bundle.image.table_words,
                               .bank = bank,
                               .mode = card::Mode::kLoadTables,
                               .table_first = bundle.image.bank_begin[bank]};
  for (Unit& unit : units_) {
    std::memcpy(unit.tables.memory().data(), bundle.tables.data(), bytes);
    if (auto ok = unit.tables.to_card(card_link::whole_pages(bytes)); !ok) return ok;
    if (auto ok = unit.load.start(arguments); !ok) return ok;
  }
  for (std::size_t unit = 0; unit < units_.size(); ++unit) {
    if (auto ok = finish(units_[unit].load, unit); !ok) return ok;
  }
  return {};
}

DeviceResult<std::uint32_t> Prover::replay(const CardBundle& bundle, std::uint32_t bank) {
  for (std::size_t unit = 0; unit < units_.size(); ++unit) {
    if (auto ok = replay_on(unit, bundle, bank); !ok) return tl::unexpected<Fault>(ok.error());
  }
  return bundle.bundle.golden.count;
}

DeviceResult<void> Prover::replay_on(std::size_t number, const CardBundle& bundle, std::uint32_t bank) {
  Unit& unit = units_[number];
  Columns columns(bundle.bundle.model);
  std::optional<Fault> trouble;
  const auto run = [&](std::span<const std::uint16_t> codes, std::uint32_t events) -> DeviceResult<void> {
    kan::pack_records(bundle.image.input, codes, events, unit.input.memory());
    if (auto ok = unit.input.to_card(bundle.image.input.buffer_bytes(events)); !ok) return ok;
    if (auto ok = unit.decide.start({.events = events, .bank = bank}); !ok) return ok;
    if (auto ok = finish(unit.decide, number); !ok) return ok;
    return unit.output.from_card(bundle.image.output.buffer_bytes(events));
  };
  const auto batch = [&](std::span<const std::uint16_t> codes, std::uint32_t events) -> kan::BatchResults {
    if (auto ok = run(codes, events); !ok) {
      trouble = ok.error();
      return {{}, nullptr, events};  // ends the replay
    }
    return columns.read(bundle.image.output, unit.output.memory(), codes, events);
  };
  const auto replayed =
      kan::replay_golden(bundle.bundle, fmt::format("compute unit {} of the card", number), batch);
  if (trouble) return tl::unexpected<Fault>(*trouble);
  if (!replayed) return fault(FaultKind::kGolden, "{}", replayed.error().message);
  return {};
}

}  // namespace kantrig::card_host
