// What accounting costs a batch: check, answer space and commit, as the shard calls them.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "ledger/shard_ledger.hpp"
#include "support/temporary_folder.hpp"

namespace {

using namespace kantrig;
using namespace kantrig::ledger;

struct Books {
  Books() {
    BlockKey key;
    key.run = RunNumber{1};
    key.block = BlockNumber{1};
    key.line_count = 12;
    if (!ledger || !ledger->roll_block(key, BlockClose::kRun, 1)) {
      std::fprintf(stderr, "cannot open a ledger\n");
      std::exit(1);
    }
    lane = *ledger->open_lane(SourceId{1}, LaneId{0}, {});
  }
  /// The books must hold what was committed, or the time says nothing.
  void check(benchmark::State& state, std::uint64_t batches, std::uint64_t events) const {
    ShardLedger::Snapshot s;
    ledger->snapshot(s);
    if (s.total.batches != batches || s.total.totals.received != events || s.total.totals.residual() != 0) {
      state.SkipWithError("the ledger does not hold what was committed");
    }
  }
  kantrig::test::TemporaryFolder folder;
  Result<ShardLedger> ledger = ShardLedger::open(folder.path() / "ledger.bin", {.lanes_max = 4}, 1);
  LaneHandle lane;
};

void commit_batch(benchmark::State& state) {
  Books books;
  std::vector<LineCounts> lines(static_cast<std::size_t>(state.range(0)), LineCounts{9, 7, 5});
  const auto answer_bytes = static_cast<std::size_t>(state.range(1));
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    ++sequence;
    const auto check = books.ledger->check(books.lane, Sequence{sequence});
    if (check.state != SequenceCheck::State::kNew) return state.SkipWithError("the sequence is not the next");
    benchmark::DoNotOptimize(books.ledger->answer_space(books.lane, answer_bytes));
    books.ledger->commit({.lane = books.lane,
                          .sequence = Sequence{sequence},
                          .event_count = 1024,
                          .accepted = 100,
                          .rejected = 924,
                          .path = 1,
                          .lines = lines,
                          .answer_bytes = answer_bytes});
  }
  books.check(state, sequence, sequence * 1024);
}
BENCHMARK(commit_batch)
    ->ArgNames({"lines", "answer_bytes"})
    ->Args({0, 300})
    ->Args({12, 300})
    ->Args({64, 300});

void check_duplicate(benchmark::State& state) {
  Books books;
  for (std::uint64_t s = 1; s <= 1024; ++s) {
    (void)books.ledger->answer_space(books.lane, 300);
    books.ledger->commit(
        {.lane = books.lane, .sequence = Sequence{s}, .event_count = 1, .accepted = 1, .answer_bytes = 300});
  }
  std::uint64_t sequence = 1;
  for (auto _ : state) {
    const auto check = books.ledger->check(books.lane, Sequence{sequence});
    if (check.state != SequenceCheck::State::kDuplicate) return state.SkipWithError("the answer is not kept");
    benchmark::DoNotOptimize(check.answer.data());
    sequence = sequence % 1024 + 1;
  }
}
BENCHMARK(check_duplicate);

void find_last_of_lanes(benchmark::State& state) {
  kantrig::test::TemporaryFolder folder;
  auto ledger = ShardLedger::open(folder.path() / "ledger.bin",
                                  {.lanes_max = 64, .batches_kept = 8, .answer_bytes_kept = 4096}, 1);
  for (std::uint32_t l = 0; l < 64; ++l) (void)ledger->open_lane(SourceId{1}, LaneId{l}, {});
  for (auto _ : state) benchmark::DoNotOptimize(ledger->find_lane(SourceId{1}, LaneId{63}));
}
BENCHMARK(find_last_of_lanes);

void read_snapshot(benchmark::State& state) {
  Books books;
  ShardLedger::Snapshot s;
  for (auto _ : state) {
    books.ledger->snapshot(s);
    benchmark::DoNotOptimize(s);
  }
}
BENCHMARK(read_snapshot);

}  // namespace
