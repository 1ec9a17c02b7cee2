// Both ends of a valid/ready stream in simulation: a source and a drain that hold back as often as asked, and
// the check that what comes out is what went in.
#pragma once

#include <cstdint>
#include <deque>
#include <random>

namespace kantrig::test {

/// Chances a cycle, in percent, that the source has nothing and that the drain takes nothing.
struct HoldBack {
  unsigned source_percent = 0;
  unsigned drain_percent = 0;
};

template <typename Item>
class StreamPort {
 public:
  StreamPort(std::uint64_t seed, HoldBack hold_back) : random_(seed), hold_back_(hold_back) {}

  std::deque<Item> expected;  // outcome of what was taken and has not come out
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  std::uint64_t wrong = 0;

  [[nodiscard]] bool offers() {
    offering_ = offering_ || random_() % 100 >= hold_back_.source_percent;
    return offering_;
  }
  [[nodiscard]] bool takes() { return random_() % 100 >= hold_back_.drain_percent; }

  void was_taken(const Item& outcome) {
    offering_ = false;
    ++taken;
    expected.push_back(outcome);
  }
  void came_out(const Item& item) {
    ++given;
    if (expected.empty() || !(expected.front() == item)) ++wrong;
    if (!expected.empty()) expected.pop_front();
  }
  void reset() {
    expected.clear();
    offering_ = false;
  }

 private:
  std::mt19937_64 random_;
  HoldBack hold_back_;
  bool offering_ = false;
};

}  // namespace kantrig::test
