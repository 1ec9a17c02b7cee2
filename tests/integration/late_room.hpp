// A shard stepped by hand whose batches come back late, and a client of it.
#pragma once

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "integration/late_model.hpp"
#include "integration/shard_room.hpp"
#include "unit/kan/small_bundle.hpp"

namespace kantrig::test {

inline constexpr std::string_view kLateMenu = R"(version = 1
name = "test"
[[line]]
name = "w"
when = "class == w"
)";
inline constexpr std::uint32_t kDepth = 8;
inline constexpr std::uint32_t kFeatures = 2;

/// What a test keeps of an answer.
struct Answer {
  std::uint64_t sequence = 0;
  wire::Reason reason = wire::Reason::kNone;
  bool duplicate = false;
  wire::Path path = wire::Path::kUnspecified;
  std::uint64_t generation = 0;
  std::uint32_t accepted = 0, rejected = 0, malformed = 0;
  std::vector<std::byte> classes, scores;
  std::uint64_t expected_sequence = 0;
};

struct Rows {
  wire::BatchHeader header;
  std::vector<std::byte> codes;
};

class LateShardTest : public testing::Test {
 protected:
  static pipeline::ShardOptions options() {
    pipeline::ShardOptions options;
    options.ledger = {.lanes_max = 2, .batches_kept = 64, .answer_bytes_kept = 256U << 10};
    options.events_per_batch_max = 64;
    options.batches_under_way = kDepth;
    options.credit = {10'000, 1'000'000, 64};
    return options;
  }

  void SetUp() override {
    room_.adopt(conditions_of(model_, std::string(kLateMenu)));
    greet(client_, {7});
  }
  void TearDown() override { EXPECT_EQ(room_.counts().totals.residual(), 0); }

  wire::WelcomeView greet(RawClient& client, SourceId source) {
    client.send(wire::Hello{wire::kProtocol, source, {0}, "test", 1});
    const wire::ServerMessage* message = room_.answer_to(client);
    EXPECT_TRUE(message != nullptr && message->kind == wire::ServerMessageKind::kWelcome);
    return message == nullptr ? wire::WelcomeView{} : message->welcome;
  }

  /// A batch of random codes, some of them not valid.
  Rows rows(std::uint64_t sequence, std::uint32_t events = 4, SourceId source = {7}) {
    Rows rows;
    rows.header.protocol_version = wire::kProtocol;
    rows.header.source = source;
    rows.header.sequence = {sequence};
    rows.header.first_event_id = sequence * 64;
    rows.header.event_count = events;
    rows.header.feature_count = kFeatures;
    rows.header.encoding = wire::Encoding::kCode8;
    rows.header.want_classes = rows.header.want_scores = true;
    for (std::uint32_t i = 0; i < events * kFeatures; ++i)
      rows.codes.push_back(static_cast<std::byte>(random_() % 32 == 0 ? 4 : random_() % 4));
    return rows;
  }
  void send(RawClient& client, const Rows& rows) { client.send(rows.header, rows.codes); }
  void send(std::uint64_t sequence) { send(client_, rows(sequence)); }

  template <typename Done>
  void step_until(const Done& done, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
      if (room_.shard().do_work() == 0) client_.wait(1);
    }
  }
  void step_until_begun(std::uint32_t batches) {
    step_until([&] { return card_.begun >= batches; }, "batches are not begun");
    ASSERT_EQ(card_.begun, batches);
  }
  /// Turns enough for anything that could happen to happen.
  void step_on() {
    for (int i = 0; i < 20; ++i) static_cast<void>(room_.shard().do_work());
  }

  Answer answer(RawClient& client) {
    const wire::ServerMessage* message = room_.answer_to(client);
    if (message == nullptr || message->kind != wire::ServerMessageKind::kDecision) {
      ADD_FAILURE() << "expected a decision";
      return {};
    }
    const wire::DecisionView& view = message->decision;
    return {.sequence = view.sequence.value,
            .reason = view.reason,
            .duplicate = view.duplicate,
            .path = view.path,
            .generation = view.generation.value,
            .accepted = view.accepted_count,
            .rejected = view.rejected_count,
            .malformed = view.malformed_count,
            .classes = {view.classes.begin(), view.classes.end()},
            .scores = {view.scores.begin(), view.scores.end()},
            .expected_sequence = view.expected_sequence.value};
  }
  Answer answer() { return answer(client_); }
  void expect_answer(std::uint64_t sequence, wire::Path path) {
    const Answer got = answer();
    EXPECT_EQ(got.sequence, sequence);
    EXPECT_EQ(got.reason, wire::Reason::kNone);
    EXPECT_EQ(got.path, path) << "sequence " << sequence;
    EXPECT_FALSE(got.duplicate);
  }
  bool silent(RawClient& client) {
    step_on();
    client.wait(20);
    return client.receive() == nullptr;
  }

  /// By the reference evaluator, event by event.
  static void expect_reference(const Answer& got, const Rows& rows, const kan::Model& model) {
    std::uint32_t accepted = 0, malformed = 0;
    ASSERT_EQ(got.classes.size(), rows.header.event_count);
    for (std::uint32_t i = 0; i < rows.header.event_count; ++i) {
      const std::vector<std::uint16_t> codes{static_cast<std::uint16_t>(rows.codes[kFeatures * i]),
                                             static_cast<std::uint16_t>(rows.codes[kFeatures * i + 1])};
      if (codes[0] > 3 || codes[1] > 3) {
        ++malformed;
        continue;
      }
      const auto outputs = kan::reference_outputs(model, codes);
      const std::size_t bytes = outputs.size() * sizeof(std::int16_t);
      EXPECT_EQ(std::memcmp(got.scores.data() + i * bytes, outputs.data(), bytes), 0);
      EXPECT_EQ(static_cast<std::uint8_t>(got.classes[i]), kan::reference_class(model, outputs));
      accepted += kan::reference_class(model, outputs) == 1 ? 1 : 0;
    }
    EXPECT_EQ(got.accepted, accepted);
    EXPECT_EQ(got.malformed, malformed);
    EXPECT_EQ(got.rejected, rows.header.event_count - accepted - malformed);
  }

  std::mt19937_64 random_{7};
  LateCard card_;
  std::shared_ptr<const pipeline::LoadedModel> model_ = loaded_late(small_bundle(), card_);
  ShardRoom room_{options()};
  RawClient client_ = room_.connect("client of source 7");
};

}  // namespace kantrig::test
