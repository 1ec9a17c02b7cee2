// Ids as distinct types, so that no call can swap a run for a block.
#pragma once

#include <compare>
#include <cstdint>

namespace kantrig {

template <typename Tag, typename Value>
struct Id {
  Value value = 0;
  friend constexpr auto operator<=>(Id, Id) = default;
};

using SourceId = Id<struct SourceTag, std::uint32_t>;
using LaneId = Id<struct LaneTag, std::uint32_t>;            // of a source
using RunNumber = Id<struct RunTag, std::uint64_t>;          // 0: none
using BlockNumber = Id<struct BlockTag, std::uint64_t>;      // within a run, from 1
using Generation = Id<struct GenerationTag, std::uint64_t>;  // of the active model, from 1
using Sequence = Id<struct SequenceTag, std::uint64_t>;      // of a batch on its lane, from 1
using EventId = Id<struct EventTag, std::uint64_t>;

}  // namespace kantrig
