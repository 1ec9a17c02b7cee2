// kan_stream: events, tags and TLAST stay together, in order, under back-pressure on both sides.
#include <Vstream.h>
#include <gtest/gtest.h>

#include <memory>

#include "rtl/kernel_case.hpp"
#include "rtl/stream_port.hpp"

namespace kantrig::test {
namespace {

constexpr DesignShape kShape{.input_width = 24, .output_width = 9};  // records of 32 and 16 bits
constexpr unsigned kLatency = 5 + 4;

struct Beat {
  std::uint32_t data = 0;
  std::uint32_t tag = 0;
  bool last = false;
  bool operator==(const Beat&) const = default;
};

class Stream : public RtlTest {
 protected:
  Stream() {
    reset();
    std::mt19937_64 random(41);
    for (std::uint32_t i = 0; i < tables_.size(); ++i) {
      tables_[i] = static_cast<std::uint32_t>(random());
      stream_->table_valid_i = 1;
      stream_->table_address_i = i;
      stream_->table_data_i = tables_[i];
      clock();
    }
    stream_->table_valid_i = 0;
  }
  ~Stream() override { stream_->final(); }

  void clock() {
    stream_->aclk = 1;
    stream_->eval();
    stream_->aclk = 0;
    stream_->eval();
  }
  void reset() {
    stream_->s_axis_tvalid = 0;
    stream_->aresetn = 0;
    clock();
    clock();
    stream_->aresetn = 1;
    clock();
  }

  [[nodiscard]] Beat outcome() const {
    const std::uint32_t codes = stream_->s_axis_tdata;
    std::array<std::uint8_t, 4> record{};
    std::memcpy(record.data(), &codes, sizeof codes);
    std::array<std::uint8_t, 2> scores{};
    expect_scores(kShape, tables_, stream_->bank_i, record, scores);
    return {scores[0] | static_cast<std::uint32_t>(scores[1]) << 8, stream_->s_axis_tuser,
            stream_->s_axis_tlast != 0};
  }

  void step(StreamPort<Beat>& port) {
    if (!stream_->s_axis_tvalid) {
      stream_->s_axis_tdata = static_cast<std::uint32_t>(random_());
      stream_->s_axis_tuser = static_cast<std::uint16_t>(random_());
      stream_->s_axis_tlast = random_() % 5 == 0;
      stream_->bank_i = random_() & 1U;
    }
    stream_->s_axis_tvalid = port.offers();
    stream_->m_axis_tready = port.takes();
    stream_->eval();
    const bool taken = stream_->s_axis_tvalid && stream_->s_axis_tready;
    if (taken) port.was_taken(outcome());
    if (stream_->m_axis_tvalid) {
      const Beat beat{stream_->m_axis_tdata, stream_->m_axis_tuser, stream_->m_axis_tlast != 0};
      if (held_ && !(beat == held_beat_)) ++unstable_;
      held_ = !stream_->m_axis_tready;
      held_beat_ = beat;
      if (stream_->m_axis_tready) port.came_out(beat);
    } else {
      if (held_) ++unstable_;
      held_ = false;
    }
    clock();
    if (taken) stream_->s_axis_tvalid = 0;
  }

  std::unique_ptr<Vstream> stream_ = std::make_unique<Vstream>();
  DesignTables tables_{};
  std::mt19937_64 random_{42};
  std::uint64_t unstable_ = 0;  // beats that changed or vanished before they were taken
  bool held_ = false;
  Beat held_beat_;
};

TEST_F(Stream, PassesAnEventEveryClock) {
  StreamPort<Beat> port(43, {});
  for (int i = 0; i < 100'000; ++i) step(port);
  EXPECT_EQ(port.taken, 100'000U);
  EXPECT_EQ(port.given, 100'000U - kLatency);
  EXPECT_EQ(port.wrong, 0U);
}

TEST_F(Stream, KeepsEventTagAndLastTogetherUnderRandomBackPressure) {
  for (const HoldBack hold_back :
       {HoldBack{0, 50}, HoldBack{50, 0}, HoldBack{20, 90}, HoldBack{90, 20}, HoldBack{50, 50}}) {
    reset();
    StreamPort<Beat> port(44, hold_back);
    for (int i = 0; i < 20'000; ++i) step(port);
    EXPECT_EQ(port.wrong, 0U);
    EXPECT_GT(port.given, 1500U);
    StreamPort<Beat> drain(45, {100, 0});
    drain.expected = port.expected;
    stream_->s_axis_tvalid = 0;
    held_ = false;
    for (int i = 0; i < 50; ++i) step(drain);
    EXPECT_EQ(drain.wrong, 0U);
    EXPECT_TRUE(drain.expected.empty()) << drain.expected.size() << " events were lost";
  }
  EXPECT_EQ(unstable_, 0U);
}

TEST_F(Stream, IsCleanAfterAResetInMidStream) {
  for (int round = 0; round < 50; ++round) {
    StreamPort<Beat> port(static_cast<std::uint64_t>(round), {20, 50});
    for (int i = 0; i < 20 + round; ++i) step(port);
    reset();
    held_ = false;
    EXPECT_FALSE(stream_->m_axis_tvalid);
    StreamPort<Beat> fresh(46, {});
    for (int i = 0; i < 40; ++i) step(fresh);
    EXPECT_EQ(fresh.wrong, 0U) << "round " << round;
    EXPECT_EQ(fresh.given, 40U - kLatency);
    reset();
    held_ = false;
  }
}

}  // namespace
}  // namespace kantrig::test
