// Conditions: everything under which a batch is decided. One block has one of these; a swap of any part is a
// new one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "backend/backend.hpp"
#include "base/ids.hpp"
#include "kan/bundle.hpp"
#include "ledger/shard_ledger.hpp"
#include "menu/menu.hpp"

namespace kantrig::pipeline {

/// A model that is loaded, verified and ready to run.
struct LoadedModel {
  kan::Bundle bundle;
  std::shared_ptr<const backend::PreparedModel> prepared;
  std::filesystem::path folder{};  // of the bundle, absolute: a card's process reads it there too
};

/// Immutable, shared by all shards.
struct Conditions {
  RunNumber run;          // 0: no run is on; batches are refused with REASON_NO_RUN
  BlockNumber block;      // within the run, rising
  bool draining = false;  // credit is 0: clients are asked to finish what they have sent
  Generation generation;
  std::shared_ptr<const LoadedModel> model;
  std::shared_ptr<const menu::Menu> menu;  // compiled for `model`
  std::uint32_t column = 0;
  std::shared_ptr<const LoadedModel> shadow;  // may be empty
  std::shared_ptr<const menu::Menu>
      shadow_menu;  // the same text compiled for `shadow`; empty when there is no shadow
  ledger::BlockClose closes_previous = ledger::BlockClose::kTimer;  // why the block before this one ended
};

/// A shard as the control thread sees it. All calls from the control thread; none blocks.
class ShardControl {
 public:
  virtual ~ShardControl() = default;
  /// Hands the shard its next conditions, which it adopts between two batches. False when its command ring is
  /// full.
  [[nodiscard]] virtual bool adopt(std::shared_ptr<const Conditions> next) = 0;
  /// The conditions that the shard runs under now: the last adopted ones; empty before the first.
  [[nodiscard]] virtual std::shared_ptr<const Conditions> adopted() = 0;
  /// True when the adopted conditions are draining and every live lane has acknowledged that it sent all it
  /// will.
  [[nodiscard]] virtual bool drained() = 0;
  /// The shard's books: snapshot(), closed_blocks() and mark_collected() only.
  [[nodiscard]] virtual ledger::ShardLedger& books() = 0;
};

}  // namespace kantrig::pipeline
