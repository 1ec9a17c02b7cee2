// What is counted: by final disposition, per line, per reason, per source; and the block that all of it
// belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/digest.hpp"
#include "base/ids.hpp"

namespace kantrig::ledger {

inline constexpr std::uint32_t kLinesMax = 64;
inline constexpr std::uint32_t kReasonsMax = 32;  // of decision.proto, by number
inline constexpr std::uint32_t kPathsMax = 3;

/// Every event ends in exactly one final disposition: received = accepted + rejected + duplicate + malformed
/// + refused
/// + in_flight.
struct Counts {
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t malformed = 0;
  std::uint64_t refused = 0;
  std::uint64_t in_flight = 0;

  [[nodiscard]] std::int64_t residual() const noexcept;
  Counts& operator+=(const Counts& other) noexcept;
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct LineCounts {
  std::uint64_t before_prescale = 0;
  std::uint64_t after_prescale = 0;
  std::uint64_t after_veto = 0;
  friend bool operator==(const LineCounts&, const LineCounts&) = default;
};

struct ReasonCounts {
  std::uint64_t events = 0;
  std::uint64_t batches = 0;  // or messages
  friend bool operator==(const ReasonCounts&, const ReasonCounts&) = default;
};

/// What a block is: the longest stretch under one run, generation, menu and prescale column.
struct BlockKey {
  RunNumber run;  // 0: between runs
  BlockNumber block;
  Generation generation;
  std::uint32_t column = 0;
  std::uint32_t line_count = 0;
  base::Digest model_digest;
  base::Digest menu_digest;
};

/// What a block counted. Plain data: it lies in the file as it is.
struct BlockCounts {
  struct Source {
    SourceId id;
    std::uint32_t used = 0;
    Counts counts;
  };
  static constexpr std::uint32_t kSourcesMax = 64;

  BlockKey key;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t stop_unix_ns = 0;
  std::uint32_t close_reason = 0;  // BlockClose
  std::uint32_t open = 0;
  Counts totals;
  std::uint64_t batches = 0;                           // that used up a sequence
  std::array<std::uint64_t, kPathsMax> path_events{};  // decided, by kantrig.v1.Path
  std::uint64_t live_ns = 0;                           // a run was on and credit was given
  std::uint64_t busy_ns = 0;                           // of live: deciding
  std::uint64_t paused_ns = 0;                         // no run, or draining
  std::array<LineCounts, kLinesMax> lines{};
  std::array<ReasonCounts, kReasonsMax> reasons{};
  std::array<Source, kSourcesMax> sources{};  // what no lane's source caused stands in `totals` only
};
static_assert(std::is_trivially_copyable_v<BlockCounts> && std::is_standard_layout_v<BlockCounts>);

enum class BlockClose : std::uint32_t { kTimer, kModel, kMenu, kColumn, kRun, kStop, kRestart };
[[nodiscard]] std::string_view name_of(BlockClose reason) noexcept;

}  // namespace kantrig::ledger
