// SessionTable: the connections of one shard that said Hello, each with the lane it feeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "ledger/shard_ledger.hpp"
#include "wire/server_socket.hpp"

namespace kantrig::pipeline {

/// One connection that was made welcome.
struct Session {
  wire::Identity identity;  // ZeroMQ's name for the connection
  SourceId source;
  LaneId lane;
  ledger::LaneHandle handle;
  std::uint64_t instance = 0;
  std::uint64_t last_heard_ns = 0;
  bool live = false;
  bool drain_acknowledged = false;  // credit is 0 and the client sent all it will
  /// Sequences whose answers the client has not taken, oldest first; the answers themselves are in the
  /// ledger.
  std::uint64_t unsent_first = 0;
  std::uint32_t unsent_count = 0;
  std::uint64_t unsent_bytes = 0;    // of all since unsent_count was 0
  std::uint32_t refused_unread = 0;  // batches refused since then because of them
  /// Batches that were begun and have no answer yet; a session is not opened anew meanwhile.
  std::uint32_t under_way = 0;
  Sequence under_way_next;            // the sequence behind them; valid while under_way > 0
  std::uint64_t under_way_bytes = 0;  // the most that their answers can have
};

/// At most `sessions_max` sessions, found by identity with one hash and one comparison.
///
/// Threading:  owned by the shard.
/// Allocation: in the constructor only.
class SessionTable {
 public:
  explicit SessionTable(std::uint32_t sessions_max);

  /// The session of this connection, or nullptr.
  [[nodiscard]] Session* find(const wire::Identity& identity) noexcept;
  /// The session that feeds the lane, whatever its connection, or nullptr.
  [[nodiscard]] Session* find_lane(SourceId source, LaneId lane) noexcept;
  /// A session for the connection: the lane's own, moved to the new identity, or a free one. nullptr when all
  /// are live.
  [[nodiscard]] Session* open(const wire::Identity& identity, SourceId source, LaneId lane) noexcept;
  void close(Session& session) noexcept;

  [[nodiscard]] std::span<Session> all() noexcept { return sessions_; }
  [[nodiscard]] std::uint32_t live_count() const noexcept { return live_count_; }

 private:
  [[nodiscard]] std::size_t slot_of(const wire::Identity& identity) const noexcept;
  void rebuild_index() noexcept;

  std::vector<Session> sessions_;
  std::vector<std::uint32_t> index_;  // open addressing; session number + 1, or 0
  std::uint32_t live_count_ = 0;
};

}  // namespace kantrig::pipeline
