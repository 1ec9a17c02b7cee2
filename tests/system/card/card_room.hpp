// CardRoom: a real kantrigd joined to a real kantrig-card over the emulated card.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kantrig/v1/control.pb.h"
#include "support/card_process.hpp"
#include "support/daemon.hpp"
#include "support/emulated_card.hpp"

namespace kantrig::test {

class CardRoom {
 public:
  /// Starts nothing yet. `card_options` come on top of those that every card has here.
  explicit CardRoom(const std::vector<std::string>& daemon_settings, std::vector<std::string> card_options);

  [[nodiscard]] Daemon& daemon() { return daemon_; }
  [[nodiscard]] Child& card() { return card_.process(); }
  /// Starts kantrig-card; it may take a while to listen.
  [[nodiscard]] Result<void> start_card();
  /// Words for kantrig-emulated-card, such as "fault hang once".
  void command(const std::string& words) const { emulated_.command(words); }

  /// What the daemon knows of its card.
  [[nodiscard]] Result<v1::CardLinkStatus> card_status();
  /// Waits until `ready` holds of it; the error holds the last status and the logs.
  [[nodiscard]] Result<v1::CardLinkStatus> wait_for(
      const std::string& what, const std::function<bool(const v1::CardLinkStatus&)>& ready,
      int timeout_ms = 60'000);
  /// The breaker is closed and the card has decided `events` more.
  [[nodiscard]] Result<void> wait_for_traffic(std::uint64_t events = 1'000);
  /// The ends of both logs.
  [[nodiscard]] std::string logs();
  /// Both programs end as they should when they are told to, and no sanitizer has said anything.
  void expect_clean_end();

 private:
  EmulatedCard emulated_;
  CardProcess card_;
  std::vector<std::string> card_options_;
  Daemon daemon_;
};

}  // namespace kantrig::test
