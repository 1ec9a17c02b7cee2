// Models: which models the loaded hardware holds, in which bank, under which load ids; and what it takes to
// add one. Knows nothing of devices.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "apps/kantrig-card/bundle_image.hpp"
#include "card_link/messages.hpp"

namespace kantrig::card_host {

inline constexpr std::uint32_t kBanks = 2;

/// A value: copied to be put back after a recovery.
///
/// Threading: one thread.
class Models {
 public:
  struct Entry {
    std::uint64_t load_id = 0;
    std::shared_ptr<const CardBundle> bundle;
    std::uint32_t bank = 0;
  };
  /// How a bundle gets onto the card.
  struct Plan {
    card_link::LoadKind kind = card_link::LoadKind::kBitstream;
    std::uint32_t bank = 0;

    friend bool operator==(const Plan&, const Plan&) = default;
  };

  /// Nothing, when the hardware computes this model already; tables, when it is an overlay of this shape:
  /// into a bank that is free, else into the one whose models are not in `keep`, else into the one that does
  /// not hold keep's first; another xclbin otherwise.
  [[nodiscard]] Plan plan(const CardBundle& bundle, std::span<const std::uint64_t> keep) const;

  /// The hardware of `bundle` is loaded, with it in the first bank; nothing that was before is left.
  void set_hardware(std::shared_ptr<const CardBundle> bundle);
  void clear();
  /// Its tables are about to be overwritten.
  void empty_bank(std::uint32_t bank);
  /// Its tables are right.
  void fill_bank(std::uint32_t bank, std::shared_ptr<const CardBundle> bundle);
  /// `entry` is ready. Of the others, only those in `keep` stay. Precondition: its bank is filled.
  void add(Entry entry, std::span<const std::uint64_t> keep);
  /// Nobody asks for these load ids any more; what lies in the banks stays.
  void forget_load_ids() noexcept { entries_.clear(); }

  /// Whose xclbin is loaded; null: none.
  [[nodiscard]] const std::shared_ptr<const CardBundle>& hardware() const noexcept { return hardware_; }
  /// What computes in each bank; null: nothing that is known. A fixed design has the first only.
  [[nodiscard]] const std::array<std::shared_ptr<const CardBundle>, kBanks>& banks() const noexcept {
    return banks_;
  }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] std::vector<std::uint64_t> load_ids() const;

 private:
  [[nodiscard]] bool is_this_hardware(const CardBundle& bundle) const;
  [[nodiscard]] std::uint32_t choose_bank(std::span<const std::uint64_t> keep) const;
  [[nodiscard]] bool holds_any(std::uint32_t bank, std::span<const std::uint64_t> ids) const;

  std::shared_ptr<const CardBundle> hardware_;
  std::array<std::shared_ptr<const CardBundle>, kBanks> banks_;
  std::vector<Entry> entries_;
};

}  // namespace kantrig::card_host
