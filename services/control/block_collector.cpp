#include "control/block_collector.hpp"

#include <algorithm>

namespace kantrig::control {

BlockCollector::BlockCollector(base::Logger& log, ledger::RunBook& runs, Shards shards)
    : log_(log), runs_(runs), shards_(std::move(shards)) {}

void BlockCollector::remember(const pipeline::Conditions& conditions) {
  const base::Digest& model = conditions.model->bundle.digest;
  if (std::ranges::none_of(models_, [&](const auto& known) { return known.first == model; })) {
    if (models_.size() == kNamesKept) models_.erase(models_.begin());
    models_.emplace_back(model, conditions.model->bundle.full_name());
  }
  const base::Digest& menu = conditions.menu->digest();
  if (std::ranges::none_of(menus_, [&](const auto& known) { return known->digest() == menu; })) {
    if (menus_.size() == kNamesKept) menus_.erase(menus_.begin());
    menus_.push_back(conditions.menu);
  }
}

ledger::BlockLabels BlockCollector::labels_of(const ledger::BlockKey& key) const {
  ledger::BlockLabels labels;
  for (const auto& [digest, name] : models_) {
    if (digest == key.model_digest) labels.model = name;
  }
  for (const auto& menu : menus_) {
    if (menu->digest() != key.menu_digest || key.column >= menu->columns().size()) continue;
    labels.column = menu->columns()[key.column];
    for (const menu::LineInfo& line : menu->lines()) {
      labels.lines.push_back({.name = line.name,
                              .kind = line.kind == menu::LineKind::kVeto ? "veto" : "accept",
                              .prescale = line.prescales[key.column]});
    }
  }
  return labels;
}

Result<void> BlockCollector::collect() {
  std::vector<ledger::CollectedBlock> blocks;
  std::vector<std::pair<std::size_t, std::uint32_t>> slots;  // shard and slot of each block
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    for (ledger::ShardLedger::ClosedBlock& closed : shards_[shard]->books().closed_blocks()) {
      slots.emplace_back(shard, closed.slot);
      ledger::BlockLabels labels = labels_of(closed.counts.key);
      blocks.push_back({static_cast<std::uint32_t>(shard), closed.counts, std::move(labels)});
    }
  }
  if (blocks.empty()) return {};
  if (auto merged = runs_.merge(blocks); !merged) {
    if (!failing_)
      log_.error("closed blocks not recorded",
                 {{"blocks", blocks.size()}, {"reason", merged.error().message}});
    failing_ = true;
    return merged;
  }
  if (failing_) log_.info("closed blocks recorded again", {{"blocks", blocks.size()}});
  failing_ = false;
  for (const auto& [shard, slot] : slots) shards_[shard]->books().mark_collected(slot);
  return {};
}

}  // namespace kantrig::control
