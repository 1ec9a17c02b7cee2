// Completer: the thread that waits for runs, copies their results back and gives slots back to the daemon.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apps/kantrig-card/runner.hpp"

namespace kantrig::card_host {

/// Threading:  owned by one thread.
/// Allocation: when it is made; faults aside.
class Completer final : public base::Agent {
 public:
  explicit Completer(RunnerShared& shared);
  std::size_t do_work() noexcept override;
  void wait_for_work() noexcept override;
  /// True while a run is going on whose end is to be seen.
  [[nodiscard]] bool runs_go_on() const noexcept { return oldest_run() != nullptr; }

 private:
  [[nodiscard]] std::size_t accept() noexcept;
  [[nodiscard]] std::size_t look_at_all() noexcept;
  /// True when the passage is over.
  [[nodiscard]] bool look_at(Passage& passage) noexcept;
  [[nodiscard]] bool look_at_run(Passage& passage) noexcept;
  void finish(Passage& passage) noexcept;
  [[nodiscard]] DeviceResult<void> check_axi_errors(const Passage& passage) noexcept;
  void fail(Passage& passage, const Fault& fault) noexcept;
  void answer(Passage& passage) noexcept;
  void release() noexcept;
  void count(const Passage& passage) noexcept;
  void carry_out(Order& order) noexcept;
  void abandon() noexcept;
  void answer_abandoned(const Order& order) noexcept;
  void report(const Fault& fault) noexcept;
  [[nodiscard]] const Passage* oldest_run() const noexcept;
  void sleep() noexcept;

  RunnerShared& shared_;
  std::shared_ptr<Station> station_;
  std::vector<Passage> passages_;  // in the order in which they came
  struct Abandoned {
    std::shared_ptr<Link> link;
    Passage passage;
  };
  std::vector<Abandoned> abandoned_;
};

}  // namespace kantrig::card_host
