// A ledger in a folder of its own, and the batches that the ledger's tests feed it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/shard_ledger.hpp"
#include "support/temporary_folder.hpp"

namespace kantrig::ledger::test {

inline constexpr LedgerLimits kSmall{.lanes_max = 4, .batches_kept = 8, .answer_bytes_kept = 4096};

inline BlockKey key_of(std::uint64_t run, std::uint64_t block, std::uint32_t line_count = 0) {
  BlockKey key;
  key.run = RunNumber{run};
  key.block = BlockNumber{block};
  key.generation = Generation{1};
  key.line_count = line_count;
  return key;
}

class LedgerFolder {
 public:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "ledger-0.bin"; }
  [[nodiscard]] Result<ShardLedger> open(const LedgerLimits& limits = kSmall,
                                         std::uint64_t unix_ns = 1'000) const {
    return ShardLedger::open(file(), limits, unix_ns);
  }

 private:
  kantrig::test::TemporaryFolder folder_;
};

/// Writes `text` as the answer and commits `batch` with it, as the next sequence of its lane.
inline void commit_with(ShardLedger& ledger, FinalBatch batch, std::string_view text) {
  const std::span<std::byte> room = ledger.answer_space(batch.lane, text.size());
  if (!text.empty()) std::memcpy(room.data(), text.data(), text.size());
  batch.sequence = ledger.next_sequence(batch.lane);
  batch.answer_bytes = text.size();
  ledger.commit(batch);
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace kantrig::ledger::test
