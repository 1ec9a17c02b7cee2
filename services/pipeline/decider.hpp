// Decider: batches from payload to decisions under given conditions, with no socket and no books.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "ledger/shard_ledger.hpp"
#include "pipeline/conditions.hpp"
#include "pipeline/probe.hpp"

namespace kantrig::pipeline {

/// How the events of one batch ended. accepted + rejected + malformed must give event_count: the ledger
/// checks it.
struct DecidedCounts {
  std::uint32_t accepted = 0;
  std::uint32_t rejected = 0;
  std::uint32_t malformed = 0;
};

struct ShadowCounts {
  std::uint32_t compared = 0;
  std::uint32_t class_disagreements = 0;
  std::uint32_t accept_disagreements = 0;
};

struct DeciderOptions {
  std::uint32_t shard = 0;       // whose seat at a card the batches take
  std::uint32_t events_max = 0;  // of a batch
  /// Batches that may be under way at once; fewer when the memory of so many would exceed kUnderWayBytesMax.
  std::uint32_t depth = 1;
};

/// One shard's working memory under one set of conditions. Made by the control thread, used by the shard,
/// given back to the control thread to be destroyed.
///
/// A batch is begun, may then be evaluated elsewhere for a while, and is decided in its turn: batches leave
/// in the order in which they came.
///
/// Threading:  owned by one thread at a time.
/// Allocation: in the constructor only.
class Decider {
 public:
  static constexpr std::uint64_t kUnderWayBytesMax = std::uint64_t{256} << 20U;

  /// `line_probes`: one per line of the menu; they outlive the decider.
  Decider(std::shared_ptr<const Conditions> conditions, const DeciderOptions& options,
          std::vector<LineProbe*> line_probes);

  [[nodiscard]] const Conditions& conditions() const noexcept { return *conditions_; }
  [[nodiscard]] const std::shared_ptr<const Conditions>& shared_conditions() const noexcept {
    return conditions_;
  }

  [[nodiscard]] std::size_t depth() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }
  /// Begins a batch behind those under way; see backend::Workspace::begin(). `clamped` is empty, or counts
  /// per feature what left its range. Precondition: under_way() < depth().
  void begin(const backend::Payload& payload, kan::ClampCounts clamped, std::uint32_t backlog) noexcept;
  /// True when the oldest batch under way is evaluated. Precondition of these three: under_way() > 0.
  [[nodiscard]] bool oldest_done() noexcept { return entries_[oldest_].space->done(); }
  /// Evaluates it here and now if need be.
  void finish_oldest_now() noexcept { entries_[oldest_].space->finish_now(); }
  /// Decides every event of it, which is then no longer under way. Precondition: oldest_done().
  [[nodiscard]] DecidedCounts decide_oldest(std::uint64_t first_event_id) noexcept;
  /// Runs the shadow model on the batch decided last and compares. Empty without a shadow, or when the shadow
  /// cannot take such a payload. Deciding nothing, it may come after the answer was sent.
  [[nodiscard]] std::optional<ShadowCounts> compare_shadow(const backend::Payload& payload,
                                                           std::uint64_t first_event_id) noexcept;
  /// Runs golden vectors through this very path and compares: true when every bit agrees.
  [[nodiscard]] bool canary_passes() noexcept;

  // What a client is told of these conditions:
  [[nodiscard]] std::span<const std::uint32_t> feature_bits() const noexcept { return feature_bits_; }
  [[nodiscard]] std::span<const std::string> feature_names() const noexcept { return feature_names_; }
  [[nodiscard]] std::span<const std::string> line_names() const noexcept { return line_names_; }

  // Of the batch decided last, until the next one is begun or decided:
  [[nodiscard]] std::span<const std::uint64_t> accepted() const noexcept { return menu_space_.accepted(); }
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept {
    return decided_->space->malformed();
  }
  [[nodiscard]] std::span<const ledger::LineCounts> lines() const noexcept { return lines_; }
  [[nodiscard]] const std::uint8_t* classes() const noexcept { return decided_->space->classes(); }
  [[nodiscard]] wire::Path path() const noexcept { return decided_->space->path(); }
  /// One word an event: bit l is line l after veto.
  [[nodiscard]] std::span<const std::uint64_t> line_bits(std::uint32_t event_count) noexcept;
  /// Integer outputs, event by event.
  [[nodiscard]] std::span<const std::int16_t> score_rows(std::uint32_t event_count) noexcept;

 private:
  struct Shadow {
    std::unique_ptr<backend::Workspace> kan_space;
    menu::MenuWorkspace menu_space;
    std::vector<const std::int16_t*> columns;
  };
  /// One batch under way.
  struct Entry {
    std::unique_ptr<backend::Workspace> space;
    std::vector<const std::int16_t*> columns;
    std::uint32_t event_count = 0;
    std::uint32_t malformed_count = 0;
  };
  [[nodiscard]] std::size_t place(std::size_t i) const noexcept {
    const std::size_t entry = oldest_ + i;
    return entry < entries_.size() ? entry : entry - entries_.size();
  }

  std::shared_ptr<const Conditions> conditions_;
  std::vector<Entry> entries_;  // a ring
  std::size_t oldest_ = 0;
  std::size_t under_way_ = 0;
  const Entry* decided_;
  menu::MenuWorkspace menu_space_;
  std::vector<ledger::LineCounts> lines_;
  std::vector<LineProbe*> line_probes_;
  std::vector<std::uint64_t> line_bits_;
  std::vector<std::int16_t> score_rows_;
  std::vector<std::byte> canary_rows_;  // golden inputs as CODE16 rows
  std::uint32_t canary_count_ = 0;
  std::unique_ptr<backend::Workspace> canary_space_;
  std::optional<Shadow> shadow_;
  std::vector<std::uint32_t> feature_bits_;
  std::vector<std::string> feature_names_;
  std::vector<std::string> line_names_;
};

}  // namespace kantrig::pipeline
