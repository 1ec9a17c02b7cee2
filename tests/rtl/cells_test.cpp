// The cells and kan_core: nothing lost, nothing out of order, one word a clock, clean after reset.
#include <Vcells.h>
#include <gtest/gtest.h>

#include <memory>

#include "rtl/kernel_case.hpp"
#include "rtl/stream_port.hpp"

namespace kantrig::test {
namespace {

constexpr DesignShape kShape{.input_width = 24, .output_width = 9};
constexpr unsigned kDatapathCycles = 5;

class Cells : public RtlTest {
 protected:
  Cells() { reset(); }
  ~Cells() override { cells_->final(); }

  void clock() {
    cells_->clk = 1;
    cells_->eval();
    cells_->clk = 0;
    cells_->eval();
  }
  void reset() {
    cells_->core_valid_i = cells_->skid_valid_i = cells_->fifo_valid_i = 0;
    cells_->rst_n = 0;
    clock();
    clock();
    cells_->rst_n = 1;
    clock();
  }
  void write_tables() {
    std::mt19937_64 random(31);
    for (std::uint32_t i = 0; i < tables_.size(); ++i) {
      tables_[i] = static_cast<std::uint32_t>(random());
      cells_->table_valid_i = 1;
      cells_->table_address_i = i;
      cells_->table_data_i = tables_[i];
      clock();
    }
    cells_->table_valid_i = 0;
  }
  [[nodiscard]] std::uint32_t score_of(std::uint32_t codes, std::uint32_t bank) const {
    const std::array<std::uint8_t, 4> record{static_cast<std::uint8_t>(codes),
                                             static_cast<std::uint8_t>(codes >> 8),
                                             static_cast<std::uint8_t>(codes >> 16), 0};
    std::array<std::uint8_t, 2> scores{};
    expect_scores(kShape, tables_, bank, record, scores);
    return scores[0] | static_cast<std::uint32_t>(scores[1]) << 8;
  }

  /// One clock of kan_core: random codes and banks in as the port offers them, scores out.
  void core_clock(StreamPort<std::uint32_t>& port) {
    if (!cells_->core_valid_i) {
      cells_->core_data_i = static_cast<std::uint32_t>(random_()) & 0xFF'FFFF;
      cells_->core_bank_i = random_() & 1U;
    }
    cells_->core_valid_i = port.offers();
    cells_->core_ready_i = port.takes();
    cells_->eval();
    const bool taken = cells_->core_valid_i && cells_->core_ready_o;
    if (taken) port.was_taken(score_of(cells_->core_data_i, cells_->core_bank_i));
    if (cells_->core_valid_o && cells_->core_ready_i) port.came_out(cells_->core_data_o);
    clock();
    if (taken) cells_->core_valid_i = 0;
  }

  std::unique_ptr<Vcells> cells_ = std::make_unique<Vcells>();
  DesignTables tables_{};
  std::mt19937_64 random_{32};
};

TEST_F(Cells, CoreTakesAnEventEveryClockWhileItsResultsAreTaken) {
  write_tables();
  StreamPort<std::uint32_t> port(33, {});
  for (int i = 0; i < 1000; ++i) core_clock(port);
  EXPECT_EQ(port.taken, 1000U);
  EXPECT_EQ(port.given, 1000U - (kDatapathCycles + 2));
  EXPECT_EQ(port.wrong, 0U);
}

TEST_F(Cells, CoreLosesAndReordersNothingUnderRandomBackPressure) {
  write_tables();
  for (const HoldBack hold_back :
       {HoldBack{0, 50}, HoldBack{50, 0}, HoldBack{30, 90}, HoldBack{90, 30}, HoldBack{50, 50}}) {
    StreamPort<std::uint32_t> port(34, hold_back);
    for (int i = 0; i < 20'000; ++i) core_clock(port);
    EXPECT_EQ(port.wrong, 0U);
    EXPECT_GT(port.given, 1500U);
    StreamPort<std::uint32_t> drain(35, {100, 0});
    drain.expected = port.expected;
    cells_->core_valid_i = 0;
    for (int i = 0; i < 50; ++i) core_clock(drain);
    EXPECT_EQ(drain.wrong, 0U);
    EXPECT_TRUE(drain.expected.empty()) << drain.expected.size() << " events were lost";
  }
}

TEST_F(Cells, CoreHoldsAsManyEventsAsItHasCreditsAndThenWaits) {
  write_tables();
  StreamPort<std::uint32_t> port(36, {0, 100});
  for (int i = 0; i < 200; ++i) core_clock(port);
  EXPECT_EQ(port.taken, 16U) << "credits for 5 cycles of datapath";
}

TEST_F(Cells, CoreForgetsItsEventsWhenResetInMidStream) {
  write_tables();
  for (int round = 0; round < 50; ++round) {
    StreamPort<std::uint32_t> port(static_cast<std::uint64_t>(round), {20, 40});
    for (int i = 0; i < 20 + round; ++i) core_clock(port);
    cells_->core_valid_i = 0;
    cells_->core_ready_i = 0;
    reset();
    EXPECT_FALSE(cells_->core_valid_o);
    StreamPort<std::uint32_t> fresh(37, {});
    for (int i = 0; i < 40; ++i) core_clock(fresh);
    EXPECT_EQ(fresh.wrong, 0U) << "round " << round;
    EXPECT_EQ(fresh.given, 40U - (kDatapathCycles + 2));
    cells_->core_valid_i = 0;
    reset();
  }
}

TEST_F(Cells, SkidAndFifoKeepEveryWordInOrder) {
  for (const HoldBack hold_back : {HoldBack{0, 0}, HoldBack{0, 60}, HoldBack{60, 0}, HoldBack{50, 50}}) {
    reset();
    StreamPort<std::uint32_t> skid(38, hold_back);
    StreamPort<std::uint32_t> fifo(39, hold_back);
    std::uint32_t skid_next = 0;
    std::uint32_t fifo_next = 0;
    for (int i = 0; i < 10'000; ++i) {
      cells_->skid_valid_i = skid.offers();
      cells_->skid_data_i = skid_next;
      cells_->skid_ready_i = skid.takes();
      cells_->fifo_valid_i = fifo.offers();
      cells_->fifo_data_i = fifo_next;
      cells_->fifo_ready_i = fifo.takes();
      cells_->eval();
      if (cells_->skid_valid_o && cells_->skid_ready_i) skid.came_out(cells_->skid_data_o);
      if (cells_->fifo_valid_o && cells_->fifo_ready_i) fifo.came_out(cells_->fifo_data_o);
      if (cells_->skid_valid_i && cells_->skid_ready_o) skid.was_taken(skid_next++);
      if (cells_->fifo_valid_i && cells_->fifo_ready_o) fifo.was_taken(fifo_next++);
      clock();
    }
    EXPECT_EQ(skid.wrong + fifo.wrong, 0U);
    EXPECT_LE(skid.expected.size(), 2U);
    EXPECT_LE(fifo.expected.size(), 5U);
    if (hold_back.source_percent == 0 && hold_back.drain_percent == 0) {
      EXPECT_EQ(skid.given, 9'999U);
      EXPECT_EQ(fifo.given, 9'998U);
    }
  }
}

TEST_F(Cells, ValidPipeDelaysByItsLatency) {
  std::deque<bool> sent{false, false, false};
  for (int i = 0; i < 200; ++i) {
    cells_->pipe_i = random_() & 1U;
    sent.push_back(cells_->pipe_i);
    cells_->eval();
    EXPECT_EQ(cells_->pipe_0_o, cells_->pipe_i);
    EXPECT_EQ(static_cast<bool>(cells_->pipe_3_o), sent.front());
    sent.pop_front();
    clock();
  }
}

}  // namespace
}  // namespace kantrig::test
