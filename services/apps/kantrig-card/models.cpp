#include "apps/kantrig-card/models.hpp"

#include <algorithm>

namespace kantrig::card_host {

using card_link::LoadKind;

Models::Plan Models::plan(const CardBundle& bundle, std::span<const std::uint64_t> keep) const {
  if (!is_this_hardware(bundle)) return {LoadKind::kBitstream, 0};
  if (!bundle.image.overlay) return {LoadKind::kNone, 0};
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    if (banks_[bank] && banks_[bank]->tables_digest == bundle.tables_digest) return {LoadKind::kNone, bank};
  }
  return {LoadKind::kTables, choose_bank(keep)};
}

bool Models::is_this_hardware(const CardBundle& bundle) const {
  if (!hardware_) return false;
  const kan::CardImage& loaded = hardware_->image;
  const kan::CardImage& wanted = bundle.image;
  return loaded.overlay == wanted.overlay && loaded.hardware_digest == wanted.hardware_digest &&
         loaded.interface_version == wanted.interface_version && loaded.kernel == wanted.kernel &&
         loaded.input == wanted.input && loaded.output == wanted.output &&
         loaded.bank_begin == wanted.bank_begin;
}

std::uint32_t Models::choose_bank(std::span<const std::uint64_t> keep) const {
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    if (!banks_[bank]) return bank;
  }
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    if (std::ranges::none_of(entries_, [&](const Entry& entry) { return entry.bank == bank; })) return bank;
  }
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    if (!holds_any(bank, keep)) return bank;
  }
  return holds_any(0, keep.first(1)) ? 1 : 0;
}

bool Models::holds_any(std::uint32_t bank, std::span<const std::uint64_t> ids) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    return entry.bank == bank && std::ranges::find(ids, entry.load_id) != ids.end();
  });
}

void Models::set_hardware(std::shared_ptr<const CardBundle> bundle) {
  clear();
  banks_[0] = bundle;
  hardware_ = std::move(bundle);
}

void Models::clear() {
  *this = Models();
}

void Models::empty_bank(std::uint32_t bank) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.bank == bank; });
  banks_[bank].reset();
}

void Models::fill_bank(std::uint32_t bank, std::shared_ptr<const CardBundle> bundle) {
  banks_[bank] = std::move(bundle);
}

void Models::add(Entry entry, std::span<const std::uint64_t> keep) {
  std::erase_if(entries_, [&](const Entry& other) {
    return other.load_id == entry.load_id || std::ranges::find(keep, other.load_id) == keep.end();
  });
  entries_.push_back(std::move(entry));
}

std::vector<std::uint64_t> Models::load_ids() const {
  std::vector<std::uint64_t> ids;
  for (const Entry& entry : entries_) ids.push_back(entry.load_id);
  return ids;
}

}  // namespace kantrig::card_host
