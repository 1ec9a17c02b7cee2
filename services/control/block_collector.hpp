// BlockCollector: closed blocks, from the shards' books into the run records.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "control/adoption.hpp"
#include "ledger/run_book.hpp"
#include "menu/menu.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

/// A block leaves a shard's books only after the record that holds it is written: killed in between, it is
/// collected again and replaces itself.
///
/// Threading: owned by the control thread.
/// Bounds:    the names of the last kNamesKept models and menus; a block that refers to older ones is
/// recorded without.
class BlockCollector {
 public:
  static constexpr std::size_t kNamesKept = 64;

  BlockCollector(base::Logger& log, ledger::RunBook& runs, Shards shards);

  /// Learns the names behind the digests of blocks under `conditions`.
  void remember(const pipeline::Conditions& conditions);
  /// Collects what is closed. An error leaves the blocks where they are, for the next call; it is logged when
  /// it begins.
  Result<void> collect();

 private:
  [[nodiscard]] ledger::BlockLabels labels_of(const ledger::BlockKey& key) const;

  base::Logger& log_;
  ledger::RunBook& runs_;
  Shards shards_;
  std::vector<std::pair<base::Digest, std::string>> models_;
  std::vector<std::shared_ptr<const menu::Menu>> menus_;
  bool failing_ = false;
};

}  // namespace kantrig::control
