// The daemon's resident memory stays where it is over 50 million events.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>

#include "client/client.hpp"
#include "support/daemon.hpp"
#include "system/reference_decisions.hpp"

namespace kantrig::test {
namespace {

constexpr std::uint32_t kBatchEvents = 4'096;
constexpr std::uint64_t kBatchesMeasured = 50'000'000 / kBatchEvents + 1;
constexpr std::uint64_t kBatchesWarmUp = 3'000;
constexpr std::uint32_t kPendingMax =
    8;  // what lies in the socket at any time is small against the growth that is looked for
constexpr std::uint64_t kGrowthMaxBytes = 1U << 20;
constexpr std::uint32_t kTimeoutMs = 30'000;

/// A lane that sends the same rows again and again, floats and codes in turn.
class Stream {
 public:
  Stream(client::Client& client, const EventPool& pool)
      : client_(client), feature_count_(pool.feature_count) {
    static_assert(kBatchEvents <= EventPool::kRowsStored);
    floats_ = pool.rows(wire::Encoding::kFloat32, 0, kBatchEvents);
    codes_ = pool.rows(wire::Encoding::kCode8, 0, kBatchEvents);
  }
  /// Sends `batches` and waits for all answers. Every `extras_every`th asks for lines, classes and scores
  /// too.
  void send(std::uint64_t batches, std::uint64_t extras_every) {
    for (std::uint64_t i = 0; i < batches; ++i) {
      const auto rows = i % 2 == 0 ? floats_ : codes_;
      client::Batch batch;
      batch.payload = client::Payload::borrowed(
          rows, [](void*, void*) {}, nullptr);
      batch.event_count = kBatchEvents;
      batch.feature_count = feature_count_;
      batch.encoding = i % 2 == 0 ? wire::Encoding::kFloat32 : wire::Encoding::kCode8;
      batch.want_lines = batch.want_classes = batch.want_scores = i % extras_every == 0;
      const auto taken = client_.submit(std::move(batch), [this](const client::Answer& answer) {
        decided_ += answer.outcome == client::Outcome::kDecided ? answer.event_count : 0;
      });
      ASSERT_TRUE(taken) << taken.error().message;
    }
    const auto answered = client_.wait_answers(kTimeoutMs);
    ASSERT_TRUE(answered) << answered.error().message;
  }
  [[nodiscard]] std::uint64_t decided() const { return decided_; }

 private:
  client::Client& client_;
  std::uint32_t feature_count_;
  std::span<const std::byte> floats_;
  std::span<const std::byte> codes_;
  std::uint64_t decided_ = 0;
};

TEST(Memory, OfTheDaemonIsFlatOverFiftyMillionEvents) {
  Daemon daemon;
  const kan::Bundle bundle = kan::load_bundle(daemon.models() / "jets-1.1.0").value();
  const EventPool pool = EventPool::make(bundle.model, 1).value();
  const auto started = daemon.start();
  ASSERT_TRUE(started) << started.error().message;
  client::Options options;
  options.endpoint = daemon.events_endpoint();
  options.batches_pending_max = kPendingMax;
  options.submit_wait_ms = kTimeoutMs;
  auto client = client::Client::connect(options);
  ASSERT_TRUE(client) << client.error().message;
  Stream stream(*client, pool);

  // Answers with every extra fill the lane's ring of kept answers several times over: all of the file is in
  // memory.
  stream.send(kBatchesWarmUp, 8);
  const std::uint64_t before_bytes = daemon.resident_bytes();
  const auto begin = std::chrono::steady_clock::now();
  stream.send(kBatchesMeasured, 64);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::uint64_t after_bytes = daemon.resident_bytes();

  ASSERT_GT(before_bytes, 0U);
  EXPECT_LT(after_bytes, before_bytes + kGrowthMaxBytes);
  const std::uint64_t events = (kBatchesWarmUp + kBatchesMeasured) * kBatchEvents;
  EXPECT_EQ(stream.decided(), events);
  ASSERT_TRUE(client->close(kTimeoutMs));
  const auto record = daemon.stop_run();
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_TRUE(record->residual_is_zero());
  EXPECT_TRUE(record->clients_agree());
  EXPECT_EQ(record->totals().accepted() + record->totals().rejected() + record->totals().malformed(), events);
  EXPECT_EQ(daemon.terminate(), 0);
  fmt::print(
      "{{\"events\": {}, \"resident_before_bytes\": {}, \"resident_after_bytes\": {}, \"growth_bytes\": {}, "
      "\"events_per_s\": {:.3g}}}\n",
      kBatchesMeasured * kBatchEvents, before_bytes, after_bytes,
      static_cast<std::int64_t>(after_bytes) - static_cast<std::int64_t>(before_bytes),
      static_cast<double>(kBatchesMeasured * kBatchEvents) / seconds);
}

}  // namespace
}  // namespace kantrig::test
