// Counts what a shard allocates while it takes batches from receipt to answer: a program of its own, since it
// replaces operator new.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <random>

#include "base/file.hpp"
#include "integration/late_model.hpp"
#include "integration/shard_room.hpp"

namespace {
thread_local bool counting = false;  // only what the shard's thread does within do_work()
thread_local std::uint64_t allocation_count = 0;
}  // namespace

// Not inlined: g++ would see free() meet a plain new and warn.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (counting) ++allocation_count;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  if (counting) ++allocation_count;
  return std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  if (counting) ++allocation_count;
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace kantrig::test {
namespace {

constexpr std::uint32_t kEvents = 4'096;
constexpr std::uint32_t kFeatures = 16;
constexpr std::uint64_t kWarmUp = 300;
constexpr std::uint64_t kMeasured = 1'500;

/// The same rows in each encoding, NaN and all.
struct Rows {
  std::vector<std::uint8_t> code8 = std::vector<std::uint8_t>(std::size_t{kEvents} * kFeatures);
  std::vector<std::uint16_t> code16 = std::vector<std::uint16_t>(std::size_t{kEvents} * kFeatures);
  std::vector<float> float32 = std::vector<float>(std::size_t{kEvents} * kFeatures);
  Rows() {
    std::mt19937_64 random(4);
    for (std::size_t i = 0; i < code8.size(); ++i) {
      code8[i] = static_cast<std::uint8_t>(random() % 64);
      code16[i] = code8[i];
      float32[i] = random() % 1'000 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                         : static_cast<float>(random() % 1'000) * 0.01F;
    }
  }
  [[nodiscard]] std::span<const std::byte> of(wire::Encoding encoding) const {
    if (encoding == wire::Encoding::kCode8) return std::as_bytes(std::span(code8));
    if (encoding == wire::Encoding::kCode16) return std::as_bytes(std::span(code16));
    return std::as_bytes(std::span(float32));
  }
};

/// Batch number `i`: every encoding with every set of extras comes in turn.
wire::BatchHeader header_of(std::uint64_t i) {
  wire::BatchHeader header;
  header.protocol_version = wire::kProtocol;
  header.source = {7};
  header.sequence = {i};
  header.first_event_id = i * kEvents;
  header.event_count = kEvents;
  header.feature_count = kFeatures;
  header.encoding = static_cast<wire::Encoding>(1 + i % 3);
  header.want_lines = i / 3 % 2 == 1;
  header.want_classes = i / 6 % 2 == 1;
  header.want_scores = i / 12 % 2 == 1;
  return header;
}

TEST(ShardAllocation, IsNoneFromReceiptToAnswerOnceWarm) {
  const auto root = std::filesystem::path(KANTRIG_SOURCE_DIR);
  const auto model = loaded(kan::load_bundle(root / "firmware/models/jets/jets-1.1.0").value());
  pipeline::Conditions conditions =
      conditions_of(model, base::read_file(root / "config/menu.toml", 1U << 20).value());
  conditions.shadow = model;  // beside itself: it must never disagree
  conditions.shadow_menu = conditions.menu;
  pipeline::ShardOptions options;
  options.credit = {1'000'000, 100'000'000, 100};
  ShardRoom room(options);
  room.adopt(conditions);
  RawClient client = room.connect("a");
  client.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  ASSERT_EQ(room.answer_to(client)->welcome.next_sequence.value, 1U);

  counting = true;
  ::operator delete(::operator new(1));
  counting = false;
  ASSERT_EQ(allocation_count, 1U) << "allocations are not counted";

  const Rows rows;
  for (std::uint64_t i = 1; i <= kWarmUp + kMeasured; ++i) {
    if (i == kWarmUp + 1) allocation_count = 0;
    const bool repeated = i % 50 == 0;  // answered from the kept answers
    for (int copy = 0; copy < (repeated ? 2 : 1); ++copy) {
      client.send(header_of(i), rows.of(header_of(i).encoding));
      const wire::ServerMessage* message = nullptr;
      while (message == nullptr) {
        room.clock.now += 100'000;  // the timers run too: canaries, unsent answers, gauges
        counting = true;
        const std::size_t work = room.shard().do_work();
        counting = false;
        message = client.receive();
        if (message != nullptr) break;
        if (work == 0) room.shard().wait_for_work();
        if (work > 0) client.wait(100);
      }
      ASSERT_EQ(message->decision.reason, wire::Reason::kNone) << message->decision.detail;
      ASSERT_EQ(message->decision.duplicate, copy == 1);
      ASSERT_EQ(message->decision.line_bits.empty(), !header_of(i).want_lines);
    }
  }
  EXPECT_EQ(allocation_count, 0U);
  EXPECT_EQ(room.shard().probe().shadow_compared.value(), (kWarmUp + kMeasured) * kEvents);
  EXPECT_EQ(room.shard().probe().shadow_class_disagreements.value(), 0U);
  EXPECT_GT(room.shard().probe().canaries_passed.value(), 0U);
  const ledger::Counts totals = room.counts().totals;
  EXPECT_EQ(totals.residual(), 0);
  EXPECT_EQ(totals.received, (kWarmUp + kMeasured) * kEvents + totals.duplicate);
  fmt::print("{{\"batches\": {}, \"events\": {}, \"allocations\": {}}}\n", kMeasured, kMeasured * kEvents,
             allocation_count);
}

TEST(ShardAllocation, IsNoneWhileBatchesAreEvaluatedElsewhere) {
  constexpr std::uint32_t kDepth = 8;
  const auto root = std::filesystem::path(KANTRIG_SOURCE_DIR);
  LateCard card;
  card.give_back_all(3);
  const auto model = loaded_late(kan::load_bundle(root / "firmware/models/jets/jets-1.1.0").value(), card);
  pipeline::ShardOptions options;
  options.credit = {1'000'000, 100'000'000, 100};
  options.batches_under_way = kDepth + 1;
  ShardRoom room(options);
  room.adopt(conditions_of(model, base::read_file(root / "config/menu.toml", 1U << 20).value()));
  RawClient client = room.connect("a");
  client.send(wire::Hello{wire::kProtocol, {7}, {0}, "test", 1});
  ASSERT_EQ(room.answer_to(client)->welcome.next_sequence.value, 1U);

  const Rows rows;
  const auto send = [&](std::uint64_t i) { client.send(header_of(i), rows.of(header_of(i).encoding)); };
  for (std::uint64_t round = 0; round < 80; ++round) {
    if (round == 40) allocation_count = 0;
    const std::uint64_t first = round * kDepth + 1;
    const bool comes_back = round % 2 == 0;
    card.give_back_all(comes_back ? 3 : -1);
    for (std::uint64_t i = first; i < first + kDepth; ++i) send(i);
    if (!comes_back) send(first);  // a repeat: what is under way is decided here and now
    for (std::uint32_t answers = comes_back ? kDepth : kDepth + 1; answers > 0;) {
      room.clock.now += 1'000'000;  // the timers run too
      counting = true;
      const std::size_t work = room.shard().do_work();
      counting = false;
      const wire::ServerMessage* message = client.receive();
      if (message == nullptr && work == 0) client.wait(1);
      if (message == nullptr) continue;
      ASSERT_EQ(message->decision.reason, wire::Reason::kNone) << message->decision.detail;
      --answers;
    }
  }
  EXPECT_EQ(allocation_count, 0U);
  EXPECT_EQ(card.came_back, 40 * kDepth);
  EXPECT_EQ(card.taken_over, 40 * kDepth);
  EXPECT_EQ(room.counts().totals.residual(), 0);
}

}  // namespace
}  // namespace kantrig::test
