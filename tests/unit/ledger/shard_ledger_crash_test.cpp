// A process that keeps books is killed at any moment; the next one finds every batch wholly in or wholly out.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <map>
#include <random>
#include <string>

#include "unit/ledger/ledger_folder.hpp"

namespace kantrig::ledger {
namespace {

using test::commit_with;
using test::key_of;
using test::LedgerFolder;

constexpr LedgerLimits kLimits{.lanes_max = 3, .batches_kept = 16, .answer_bytes_kept = 4096};
constexpr std::uint32_t kLanes = 2;
constexpr std::array kConnected{true, true, false};  // the third lane comes and goes
constexpr int kLives = 300;
constexpr std::uint32_t kLineCount = 12;

/// What is counted, and answered, follows from lane and sequence.
std::uint32_t accepted_of(std::uint32_t lane, std::uint64_t s) {
  return static_cast<std::uint32_t>((s * 7 + lane) % 50);
}
std::uint32_t rejected_of(std::uint32_t lane, std::uint64_t s) {
  return static_cast<std::uint32_t>((s * 11 + lane) % 60);
}
std::uint64_t line_of(std::uint64_t line, std::uint64_t s) {
  return (s + line) % 3;
}
std::string answer_of(std::uint32_t lane, std::uint64_t s) {
  return std::string((s * 131) % 600, static_cast<char>('a' + s % 23)) + std::to_string(lane) + ":" +
         std::to_string(s);
}

/// Shared with the process that will be killed.
struct Progress {
  std::atomic<std::uint64_t> block{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// Keeps books until it is killed; says through `told` when it has taken `steps`.
[[noreturn]] void live(const LedgerFolder& folder, Progress& progress, std::uint64_t steps, int told) {
  auto ledger = folder.open(kLimits);
  if (!ledger || !ledger->roll_block(key_of(1, ++progress.block, kLineCount), BlockClose::kRun, 1))
    ::_exit(1);
  std::array<LaneHandle, kLanes> lanes;
  for (std::uint32_t l = 0; l < kLanes; ++l)
    lanes[l] = ledger->open_lane(SourceId{l + 1}, LaneId{l}, {}).value_or(LaneHandle{99});
  for (std::uint64_t i = 0;; ++i) {
    const auto l = static_cast<std::uint32_t>(i % kLanes);
    const std::uint64_t s = ledger->next_sequence(lanes[l]).value;
    std::array<LineCounts, kLineCount> lines;
    for (std::size_t k = 0; k < lines.size(); ++k) lines[k] = {line_of(k, s), line_of(k, s), line_of(k, s)};
    commit_with(*ledger,
                {.lane = lanes[l],
                 .event_count = accepted_of(l, s) + rejected_of(l, s),
                 .accepted = accepted_of(l, s),
                 .rejected = rejected_of(l, s),
                 .path = 1,
                 .lines = lines},
                answer_of(l, s));
    if (i % 5 == 0) ledger->count_duplicate(lanes[l], 3);
    if (i % 7 == 0) ledger->count_refused(lanes[l], SourceId{l + 1}, 12, 4);
    if (i % 11 == 0) ledger->add_time(10, 20, 30);
    if (i % 13 == 0)
      (void)ledger->open_lane(SourceId{100 + static_cast<std::uint32_t>(i % 7)}, LaneId{0}, kConnected);
    if (i % 40 == 0) (void)ledger->roll_block(key_of(1, ++progress.block, kLineCount), BlockClose::kTimer, 1);
    if (i + 1 == steps && ::write(told, "", 1) != 1) ::_exit(1);
  }
}

/// What the last sequences of the lanes say that must have been counted.
struct Expected {
  std::uint64_t batches = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::array<std::uint64_t, kLineCount> lines{};
};

class ShardLedgerCrashTest : public testing::Test {
 protected:
  void SetUp() override {
    void* shared =
        ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    progress_ = new (shared) Progress;
  }
  void TearDown() override { ::munmap(progress_, sizeof(Progress)); }

  /// Starts a process, lets it take `steps` and some more, kills it.
  void live_and_die(std::uint64_t steps) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      live(folder_, *progress_, steps, pipe[1]);
    }
    ::close(pipe[1]);
    char byte = 0;
    const bool told = steps == 0 || ::read(pipe[0], &byte, 1) == 1;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(told && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself";
  }
  /// Adds up what follows from the sequences decided since the last look.
  void expect_sequences_of(const ShardLedger& ledger) {
    for (std::uint32_t l = 0; l < kLanes; ++l) {
      const auto lane = ledger.find_lane(SourceId{l + 1}, LaneId{l});
      if (!lane) continue;  // killed before it was opened
      const std::uint64_t next = ledger.next_sequence(*lane).value;
      for (std::uint64_t& s = next_[l]; s < next; ++s) {
        ++expected_.batches;
        expected_.accepted += accepted_of(l, s);
        expected_.rejected += rejected_of(l, s);
        for (std::size_t k = 0; k < kLineCount; ++k) expected_.lines[k] += line_of(k, s);
      }
      ASSERT_EQ(next_[l], next) << "the sequence went back";
      expect_answers_intact(ledger, *lane, l);
    }
  }
  static void expect_answers_intact(const ShardLedger& ledger, LaneHandle lane, std::uint32_t l) {
    std::uint64_t kept = 0;
    for (std::uint64_t s = ledger.next_sequence(lane).value - 1; s > 0; --s, ++kept) {
      const auto check = ledger.check(lane, Sequence{s});
      if (check.state == SequenceCheck::State::kOld) break;
      ASSERT_EQ(test::text_of(check.answer), answer_of(l, s));
    }
    ASSERT_TRUE(kept >= 4 || ledger.next_sequence(lane).value < 8) << "only " << kept << " answers are kept";
    ASSERT_LE(kept, kLimits.batches_kept);
  }
  void collect(ShardLedger& ledger) {
    for (const auto& closed : ledger.closed_blocks()) {
      blocks_[closed.counts.key.block.value] = closed.counts;  // collected twice, it replaces itself
      ledger.mark_collected(closed.slot);
    }
  }
  void expect_counts_of(const ShardLedger& ledger) {
    ShardLedger::Snapshot s;
    ledger.snapshot(s);
    EXPECT_EQ(s.total.batches, expected_.batches);
    EXPECT_EQ(s.total.totals.accepted, expected_.accepted);
    EXPECT_EQ(s.total.totals.rejected, expected_.rejected);
    EXPECT_EQ(s.total.path_events[1], expected_.accepted + expected_.rejected);
    EXPECT_EQ(s.total.totals.residual(), 0);
    EXPECT_EQ(s.total.totals.duplicate % 3, 0U);
    EXPECT_EQ(s.total.totals.refused, s.total.reasons[12].events);
    EXPECT_EQ(s.total.reasons[12].events, 4 * s.total.reasons[12].batches);
    EXPECT_EQ(s.total.busy_ns, 2 * s.total.live_ns);
    EXPECT_EQ(s.total.paused_ns, 3 * s.total.live_ns);

    Counts from_blocks;
    std::array<std::uint64_t, kLineCount> lines{};
    for (const auto& [number, block] : blocks_) {
      from_blocks += block.totals;
      for (std::size_t k = 0; k < kLineCount; ++k) lines[k] += block.lines[k].after_veto;
      Counts sources;
      for (const auto& source : block.sources) sources += source.counts;
      EXPECT_EQ(sources, block.totals);
    }
    EXPECT_EQ(from_blocks, s.total.totals);
    EXPECT_EQ(lines, expected_.lines);
  }

  LedgerFolder folder_;
  Progress* progress_ = nullptr;
  std::array<std::uint64_t, kLanes> next_{1, 1};
  Expected expected_;
  std::map<std::uint64_t, BlockCounts> blocks_;
};

TEST_F(ShardLedgerCrashTest, CountsAndAnswersAgreeWithTheSequencesAfterEachOfManyKills) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  for (int life = 0; life < kLives; ++life) {
    SCOPED_TRACE(testing::Message() << "life " << life << " of seed " << seed);
    ASSERT_NO_FATAL_FAILURE(live_and_die(random() % 1'500));
    auto ledger = folder_.open(kLimits);
    ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
    ASSERT_NO_FATAL_FAILURE(expect_sequences_of(*ledger));
    collect(*ledger);
    expect_counts_of(*ledger);
    if (HasFailure()) return;
  }
  EXPECT_GT(expected_.batches, 10'000U);
  std::printf("%d lives, %llu batches, %zu blocks\n", kLives,
              static_cast<unsigned long long>(expected_.batches), blocks_.size());
}

}  // namespace
}  // namespace kantrig::ledger
