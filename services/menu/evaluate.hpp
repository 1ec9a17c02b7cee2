// Evaluates a program on a chunk of events: one bitmap per node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "menu/program.hpp"

namespace kantrig::menu {

inline constexpr std::size_t kChunkWords =
    16;  // 1024 events: their scores and bitmaps stay in the first-level cache

/// Up to kChunkWords x 64 events of a batch.
struct Chunk {
  std::span<const std::int16_t* const> scores;
  const std::uint8_t* classes = nullptr;
  std::size_t first_event = 0;  // within the batch
  std::span<const std::uint64_t>
      valid;  // a bit for each event that is there and well formed; one word per 64 events
  std::span<std::int16_t> log_sums;    // kChunkWords x 64: room for those of the chunk
  std::span<std::uint64_t> node_bits;  // kChunkWords per node of the program
};

/// Fills node_bits of every node that is not masked. Bits of events that are not valid mean nothing.
void evaluate(const Program& program, const Chunk& chunk) noexcept;

}  // namespace kantrig::menu
