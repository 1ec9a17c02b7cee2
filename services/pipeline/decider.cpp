#include "pipeline/decider.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/bits.hpp"

namespace kantrig::pipeline {
namespace {

constexpr std::uint32_t kCanaryVectorsMax = 64;

std::uint32_t count_events(std::span<const std::uint64_t> words, std::uint32_t event_count) noexcept {
  std::uint32_t count = 0;
  const std::uint32_t word_count = (event_count + 63) / 64;
  for (std::uint32_t w = 0; w < word_count; ++w) count += base::count_bits(words[w]);
  return count;
}

/// Counts the events that were neither kept nor malformed, by looking at them and not by subtraction: that
/// the three counts add up to the batch is for the ledger to find.
std::uint32_t count_neither(std::span<const std::uint64_t> accepted, std::span<const std::uint64_t> malformed,
                            std::uint32_t event_count) noexcept {
  std::uint32_t count = 0;
  const std::uint32_t word_count = (event_count + 63) / 64;
  for (std::uint32_t w = 0; w < word_count; ++w) {
    std::uint64_t neither = ~(accepted[w] | malformed[w]);
    const std::uint32_t left = event_count - w * 64;
    if (left < 64) neither &= (std::uint64_t{1} << left) - 1;
    count += base::count_bits(neither);
  }
  return count;
}

std::vector<const std::int16_t*> output_columns(const backend::Workspace& space, std::uint32_t output_count) {
  std::vector<const std::int16_t*> columns;
  for (std::uint32_t k = 0; k < output_count; ++k) columns.push_back(space.outputs(k));
  return columns;
}

/// As many entries as are wished for and kUnderWayBytesMax holds: codes and results of each batch, and what a
/// card gives back.
std::size_t affordable_depth(const kan::Model& model, const DeciderOptions& options) {
  const std::uint64_t event_bytes =
      2 * (std::uint64_t{model.input_count()} + 2 * std::uint64_t{model.output_count()} + 1);
  const std::uint64_t entry_bytes = event_bytes * std::max(options.events_max, 1U);
  return std::clamp<std::size_t>(Decider::kUnderWayBytesMax / entry_bytes, 1, std::max(options.depth, 1U));
}

}  // namespace

Decider::Decider(std::shared_ptr<const Conditions> conditions, const DeciderOptions& options,
                 std::vector<LineProbe*> line_probes)
    : conditions_(std::move(conditions)),
      entries_(affordable_depth(conditions_->model->bundle.model, options)),
      decided_(entries_.data()),
      menu_space_(*conditions_->menu, options.events_max),
      lines_(conditions_->menu->lines().size()),
      line_probes_(std::move(line_probes)),
      line_bits_(options.events_max),
      score_rows_(std::size_t{options.events_max} * conditions_->model->bundle.model.output_count()),
      canary_space_(conditions_->model->prepared->make_workspace(kCanaryVectorsMax)) {
  for (Entry& entry : entries_) {
    entry.space = conditions_->model->prepared->make_workspace(options.events_max, options.shard);
    entry.columns = output_columns(*entry.space, conditions_->model->bundle.model.output_count());
  }
  const kan::GoldenVectors& golden = conditions_->model->bundle.golden;
  canary_count_ = std::min(golden.count, kCanaryVectorsMax);
  canary_rows_.resize(std::size_t{canary_count_} * conditions_->model->bundle.model.input_count() * 2);
  std::memcpy(canary_rows_.data(), golden.inputs.data(),
              canary_rows_.size());  // little endian, as is this machine
  for (const auto& input : conditions_->model->bundle.model.inputs) feature_bits_.push_back(input.bits);
  for (const auto& feature : conditions_->model->bundle.features) feature_names_.push_back(feature.name);
  for (const auto& line : conditions_->menu->lines()) line_names_.push_back(line.name);
  if (conditions_->shadow) {
    shadow_.emplace(Shadow{conditions_->shadow->prepared->make_workspace(options.events_max),
                           menu::MenuWorkspace(*conditions_->shadow_menu, options.events_max),
                           {}});
    shadow_->columns = output_columns(*shadow_->kan_space, conditions_->shadow->bundle.model.output_count());
  }
}

void Decider::begin(const backend::Payload& payload, kan::ClampCounts clamped,
                    std::uint32_t backlog) noexcept {
  KANTRIG_ASSERT(under_way_ < entries_.size());
  Entry& entry = entries_[place(under_way_++)];
  entry.event_count = payload.event_count;
  entry.malformed_count = entry.space->begin(payload, clamped, backlog);
}

DecidedCounts Decider::decide_oldest(std::uint64_t first_event_id) noexcept {
  KANTRIG_ASSERT(under_way_ > 0);
  const Entry& entry = entries_[oldest_];
  decided_ = &entry;
  oldest_ = place(1);
  --under_way_;
  conditions_->menu->decide({.scores = entry.columns,
                             .classes = entry.space->classes(),
                             .malformed = entry.space->malformed(),
                             .event_count = entry.event_count,
                             .first_event_id = first_event_id,
                             .column = conditions_->column},
                            menu_space_);
  const auto counts = menu_space_.line_counts();
  for (std::size_t l = 0; l < counts.size(); ++l) {
    lines_[l] = {counts[l].before_prescale, counts[l].after_prescale, counts[l].after_veto};
    line_probes_[l]->before_prescale.add(counts[l].before_prescale);
    line_probes_[l]->after_prescale.add(counts[l].after_prescale);
    line_probes_[l]->after_veto.add(counts[l].after_veto);
  }
  return {.accepted = count_events(menu_space_.accepted(), entry.event_count),
          .rejected = count_neither(menu_space_.accepted(), entry.space->malformed(), entry.event_count),
          .malformed = entry.malformed_count};
}

std::optional<ShadowCounts> Decider::compare_shadow(const backend::Payload& payload,
                                                    std::uint64_t first_event_id) noexcept {
  if (!shadow_) return std::nullopt;
  const LoadedModel& model = *conditions_->shadow;
  if (payload.encoding == wire::Encoding::kFloat32 && model.bundle.model.codes_only) return std::nullopt;
  shadow_->kan_space->evaluate(payload, {});
  conditions_->shadow_menu->decide({.scores = shadow_->columns,
                                    .classes = shadow_->kan_space->classes(),
                                    .malformed = shadow_->kan_space->malformed(),
                                    .event_count = payload.event_count,
                                    .first_event_id = first_event_id,
                                    .column = conditions_->column},
                                   shadow_->menu_space);
  ShadowCounts counts{.compared = payload.event_count};
  const std::uint8_t* ours = classes();
  const std::uint8_t* theirs = shadow_->kan_space->classes();
  for (std::uint32_t i = 0; i < payload.event_count; ++i)
    counts.class_disagreements += ours[i] != theirs[i] ? 1 : 0;
  const auto kept = menu_space_.accepted();
  const auto kept_there = shadow_->menu_space.accepted();
  for (std::uint32_t w = 0; w < (payload.event_count + 63) / 64; ++w) {
    counts.accept_disagreements += base::count_bits(kept[w] ^ kept_there[w]);
  }
  return counts;
}

bool Decider::canary_passes() noexcept {
  const LoadedModel& model = *conditions_->model;
  const backend::Payload payload{wire::Encoding::kCode16, canary_rows_, canary_count_};
  if (canary_space_->evaluate(payload, {}) != 0) return false;
  const std::uint32_t output_count = model.bundle.model.output_count();
  for (std::uint32_t k = 0; k < output_count; ++k) {
    const std::int16_t* column = canary_space_->outputs(k);
    for (std::uint32_t i = 0; i < canary_count_; ++i) {
      if (column[i] != model.bundle.golden.outputs[std::size_t{i} * output_count + k]) return false;
    }
  }
  return true;
}

std::span<const std::uint64_t> Decider::line_bits(std::uint32_t event_count) noexcept {
  const std::span<std::uint64_t> words(line_bits_.data(), event_count);
  menu_space_.write_line_bits(words);
  return words;
}

std::span<const std::int16_t> Decider::score_rows(std::uint32_t event_count) noexcept {
  const std::size_t output_count = decided_->columns.size();
  for (std::size_t k = 0; k < output_count; ++k) {
    const std::int16_t* column = decided_->columns[k];
    for (std::uint32_t i = 0; i < event_count; ++i) score_rows_[i * output_count + k] = column[i];
  }
  return {score_rows_.data(), event_count * output_count};
}

}  // namespace kantrig::pipeline
