// The decoder of what clients send. The first byte says how many frames, the next two where the first one
// ends.
#include "wire/decoder.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using Bytes = std::span<const std::byte>;

/// What a batch promises to the shard, which reads the payload on the strength of it.
void check(const kantrig::wire::ClientMessage& message) {
  using namespace kantrig::wire;
  if (message.kind == ClientMessageKind::kMalformed) {
    if (message.reason == Reason::kNone || message.detail.empty()) std::abort();
    return;
  }
  if (message.kind != ClientMessageKind::kBatch) return;
  const BatchHeader& header = message.header;
  const unsigned __int128 expected = static_cast<unsigned __int128>(header.event_count) *
                                     header.feature_count * value_bytes(header.encoding);
  if (expected == 0 || expected != message.payload.size()) std::abort();
  volatile std::byte sum{};
  for (const std::byte byte : message.payload) sum = sum ^ byte;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static kantrig::wire::Decoder decoder;
  if (size < 3) return 0;
  const std::size_t frame_count = data[0] % 4;
  const auto input = std::as_bytes(std::span(data, size)).subspan(3);
  // Frames of their own, so that a byte read beyond one shows.
  const std::size_t first_bytes = std::min<std::size_t>(data[1] + 256U * data[2], input.size());
  const std::vector<std::byte> first(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(first_bytes));
  const std::vector<std::byte> second(input.begin() + static_cast<std::ptrdiff_t>(first_bytes), input.end());
  const std::vector<std::byte> whole(input.begin(), input.end());
  const std::array<Bytes, 3> frames{frame_count == 1 ? Bytes(whole) : Bytes(first), Bytes(second),
                                    Bytes(first)};
  check(decoder.decode(std::span(frames).first(frame_count)));
  return 0;
}
