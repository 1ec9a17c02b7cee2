// What the tests of kan_kernel share: a kernel of a shape, its tables set, and runs that are checked.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "rtl/kernel_driver.hpp"
#include "rtl/test_design.hpp"
#include "rtl/violations.hpp"

namespace kantrig::test {

/// The base of fixtures: ends each test by asking whether an assertion of the hardware failed.
class RtlTest : public testing::Test {
 protected:
  RtlTest() { (void)take_violations(); }
  void TearDown() override {
    EXPECT_EQ(take_violations(), 0U) << "assertions of the hardware failed, see above";
  }
};

template <typename Model>
class KernelCase {
 public:
  static constexpr std::size_t kMemoryBytes = 1U << 20;
  static constexpr std::uint8_t kUntouched = 0xA5;

  KernelCase(const DesignShape& of_shape, std::uint64_t seed, std::size_t memory_bytes = kMemoryBytes)
      : shape(of_shape), driver(memory_bytes, seed), seed_(seed) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    for (std::uint32_t& word : tables) word = static_cast<std::uint32_t>(random());
    load_tables_by_registers();
  }

  DesignShape shape;
  KernelDriver<Model> driver;
  DesignTables tables{};

  void load_tables_by_registers() {
    driver.write(card::offset_of("table_address"), 0);
    for (const std::uint32_t word : tables) driver.write(card::offset_of("table_data"), word);
  }

  /// Puts `events` random events at `input`, runs them to `output` and says what went wrong; empty when
  /// nothing.
  [[nodiscard]] std::string check_run(RunArguments run) {
    const std::vector<std::uint8_t> events = random_events(shape, run.events, ++seed_);
    const std::vector<std::uint8_t> expected = expected_results(shape, tables, run.bank, events);
    std::vector<std::uint8_t>& bytes = driver.memory.bytes;
    const std::size_t out = run.output - CardMemory::kBase;
    std::copy(events.begin(), events.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(run.input - CardMemory::kBase));
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(out), expected.size() + 128, kUntouched);
    if (!driver.run(run)) return "the run does not end";
    if (const std::uint32_t error = driver.read(card::offset_of("error")); error != 0) {
      return "error register " + std::to_string(error);
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (bytes[out + i] != expected[i])
        return "event " + std::to_string(i / shape.output_bytes()) + " is wrong";
    }
    for (std::size_t i = expected.size(); i < expected.size() + 128; ++i) {
      if (bytes[out + i] != kUntouched) return "a byte past the last result was written";
    }
    if (driver.memory.outside != 0) return "memory outside the buffers was accessed";
    if (!driver.memory.quiet()) return "memory still owes an answer after done";
    return "";
  }

 private:
  std::uint64_t seed_;
};

}  // namespace kantrig::test
