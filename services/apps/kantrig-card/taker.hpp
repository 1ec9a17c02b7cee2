// Taker: the thread that takes slots out of the daemon's rings, copies them to the card and starts their
// runs.
#pragma once

#include "apps/kantrig-card/runner.hpp"

namespace kantrig::card_host {

/// Threading:  owned by one thread.
/// Allocation: none while slots flow; XRT's own aside.
class Taker final : public base::Agent {
 public:
  explicit Taker(RunnerShared& shared) : shared_(shared) {}
  std::size_t do_work() noexcept override;
  void wait_for_work() noexcept override;

 private:
  void apply(Order order) noexcept;
  [[nodiscard]] std::size_t take_from(std::uint32_t port) noexcept;
  void begin(std::uint32_t port, const card_link::Submission& submission) noexcept;
  [[nodiscard]] const Route* route_of(std::uint64_t load_id) const noexcept;
  void pass(Passage&& passage) noexcept;
  [[nodiscard]] bool room() const noexcept;
  [[nodiscard]] bool slots_wait() const noexcept;
  void beat() noexcept;
  void sleep() noexcept;

  RunnerShared& shared_;
  std::shared_ptr<Station> station_;
  std::shared_ptr<const Routes> routes_;
  std::uint64_t order_ = 0;
  bool broken_ = false;
  bool halted_ = false;  // a fault: nothing is started until the next order
  std::uint64_t completer_beat_ = 0;
  std::uint64_t idle_since_ns_ = 0;
};

}  // namespace kantrig::card_host
