// One thread writes, another reads: what ThreadSanitizer is to look at.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "unit/ledger/ledger_folder.hpp"

namespace kantrig::ledger {
namespace {

using test::commit_with;
using test::key_of;
using test::LedgerFolder;

constexpr std::uint64_t kAccepted = 2;
constexpr std::uint64_t kRejected = 3;
constexpr std::uint64_t kReceived = kAccepted + kRejected;

/// Every word of it follows from the number of batches, so that a torn one shows.
void expect_untorn(const BlockCounts& counts, std::size_t line_count) {
  ASSERT_EQ(counts.totals.received, kReceived * counts.batches);
  ASSERT_EQ(counts.totals.accepted, kAccepted * counts.batches);
  ASSERT_EQ(counts.totals.rejected, kRejected * counts.batches);
  ASSERT_EQ(counts.path_events[1], kReceived * counts.batches);
  for (std::size_t i = 0; i < line_count; ++i)
    ASSERT_EQ(counts.lines[i].after_veto, (i + 1) * counts.batches);
}

struct Shared {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> snapshots{0};
};

/// Commits and rolls blocks until told to stop: some during every snapshot, then none until that one is done,
/// so that a reader on a busy machine gets on.
void write(ShardLedger& ledger, LaneHandle lane, const Shared& shared) {
  std::array<LineCounts, 12> lines;
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i] = {i + 1, i + 1, i + 1};
  std::uint64_t block = 1;
  std::uint64_t snapshots = 0;
  for (std::uint64_t i = 1; !shared.stop.load(std::memory_order_relaxed); ++i) {
    commit_with(ledger,
                {.lane = lane,
                 .event_count = kReceived,
                 .accepted = kAccepted,
                 .rejected = kRejected,
                 .path = 1,
                 .lines = lines},
                "a");
    if (i % 64 == 0 && ledger.roll_block(key_of(1, block + 1, 12), BlockClose::kTimer, 1)) ++block;
    if (i % 32 != 0) continue;
    shared.snapshots.wait(snapshots, std::memory_order_acquire);
    snapshots = shared.snapshots.load(std::memory_order_acquire);
  }
}

TEST(ShardLedgerReader, SeesEveryBlockAndSumAsOfOneMomentWhileTheWriterGoesOn) {
  const LedgerFolder folder;
  auto ledger = folder.open();
  ASSERT_TRUE(ledger.has_value());
  ASSERT_TRUE(ledger->roll_block(key_of(1, 1, 12), BlockClose::kRun, 1));
  const auto lane = ledger->open_lane(SourceId{1}, LaneId{0}, {});
  ASSERT_TRUE(lane.has_value());

  ShardLedger::Snapshot s;
  ledger->snapshot(
      s);  // what the reader falls back to while the writer is preempted in the middle of a commit
  Shared shared;
  std::thread writer([&] { write(*ledger, *lane, shared); });
  std::uint64_t different = 0;
  std::uint64_t last_batches = 0;
  std::uint64_t collected_batches = 0;
  std::uint64_t collected_block = 0;
  while ((different < 1'000 || collected_block < 100) && !testing::Test::HasFatalFailure()) {
    ledger->snapshot(s);
    shared.snapshots.fetch_add(1, std::memory_order_relaxed);
    shared.snapshots.notify_one();
    expect_untorn(s.block, 12);
    expect_untorn(s.total, 0);
    EXPECT_EQ(s.block.sources[0].counts, s.block.totals);
    EXPECT_GE(s.total.batches, last_batches);
    EXPECT_EQ(s.lanes, 1U);
    if (s.total.batches != last_batches) ++different;
    last_batches = s.total.batches;
    for (const auto& closed : ledger->closed_blocks()) {
      expect_untorn(closed.counts, 12);
      EXPECT_EQ(closed.counts.key.block.value, ++collected_block);
      collected_batches += closed.counts.batches;
      ledger->mark_collected(closed.slot);
    }
  }
  shared.stop.store(
      true, std::memory_order_release);  // before the last snapshot is counted, which wakes the writer
  shared.snapshots.fetch_add(1, std::memory_order_release);
  shared.snapshots.notify_one();
  writer.join();

  ledger->close_block(BlockClose::kStop, 2);
  for (const auto& closed : ledger->closed_blocks()) collected_batches += closed.counts.batches;
  ledger->snapshot(s);
  EXPECT_EQ(collected_batches, s.total.batches);
  EXPECT_EQ(ledger->next_sequence(*lane).value, s.total.batches + 1);
}

}  // namespace
}  // namespace kantrig::ledger
