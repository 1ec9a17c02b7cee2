// Counts what decode and encode allocate once warm: a program of its own, since it replaces operator new.
#include "wire/client_codec.hpp"
#include "wire/decoder.hpp"
#include "wire/encoder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

namespace {
std::atomic<std::uint64_t> allocation_count{0};
}  // namespace

// Not inlined: g++ would see free() meet a plain new and warn.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace kantrig::wire {
namespace {

using Bytes = std::span<const std::byte>;

TEST(Allocation, IsNoneFromHeaderToAnswerOnceWarm) {
  BatchHeader header;
  header.protocol_version = kProtocol;
  header.event_count = 4096;
  header.feature_count = 16;
  header.encoding = Encoding::kCode8;
  std::array<std::byte, kClientMessageBytesMax> header_room{};
  std::vector<std::byte> payload(4096 * 16);
  std::vector<std::byte> bitmap(512);
  std::vector<std::byte> answer(encoded_bytes_max(4096, 0, {}));
  std::array<std::byte, kSmallMessageBytesMax> suffix{};
  Decoder decoder;
  Encoder encoder;
  const auto step = [&](std::uint64_t sequence) {
    header.sequence = {sequence};
    const std::array<Bytes, 2> frames{Bytes(header_room).first(encode_header(header, header_room)),
                                      Bytes(payload)};
    const ClientMessage& message = decoder.decode(frames);
    ASSERT_EQ(message.kind, ClientMessageKind::kBatch);
    DecisionView decision;
    decision.sequence = message.header.sequence;
    decision.accept_bitmap = bitmap;
    decision.credit = {1, 2, 3};
    const std::size_t bytes = encoder.encode(decision, answer);
    ASSERT_GT(bytes, 0U);
    ASSERT_GT(encoder.encode_duplicate_suffix(decision.credit, suffix), 0U);
    ASSERT_GT(encoder.encode(Heartbeat{sequence}, suffix), 0U);
  };
  step(1);
  const std::uint64_t before = allocation_count.load();
  for (std::uint64_t sequence = 2; sequence < 1000; ++sequence) step(sequence);
  EXPECT_EQ(allocation_count.load() - before, 0U);
  ::operator delete(::operator new(1));        // a plain new-expression may be left out by the compiler
  EXPECT_GT(allocation_count.load(), before);  // the counter does count
}

}  // namespace
}  // namespace kantrig::wire
