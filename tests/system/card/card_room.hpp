// CardRoom: a real kantrigd joined to a real kantrig-card over the emulated card, all in one folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kantrig/v1/control.pb.h"
#include "support/child.hpp"
#include "support/daemon.hpp"

namespace kantrig::test {

/// Whether this build has kantrig-card and the emulated card; tests skip visibly without.
[[nodiscard]] bool has_emulated_card();

/// The process of a card and the card behind it, which outlives the process.
class CardProcess {
 public:
  /// `folder`: socket, log and the emulated card's state.
  CardProcess(std::filesystem::path folder, std::vector<std::string> options);

  /// Starts it; it may take a while to listen.
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Child& child() { return child_; }
  [[nodiscard]] const Child& child() const { return child_; }
  [[nodiscard]] std::filesystem::path socket() const { return folder_ / "card.sock"; }
  /// One command of kantrig-emulated-card, such as "fault hang".
  [[nodiscard]] Result<std::string> emulated(const std::string& command) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> options_;
  Child child_;
};

class CardRoom {
 public:
  explicit CardRoom(const std::vector<std::string>& daemon_settings,
                    std::vector<std::string> card_options = {});
  CardRoom(const CardRoom&) = delete;
  CardRoom& operator=(const CardRoom&) = delete;
  ~CardRoom();  // kills both, when they are alive

  [[nodiscard]] Daemon& daemon() { return daemon_; }
  [[nodiscard]] CardProcess& card() { return card_; }
  /// What the daemon knows of its card.
  [[nodiscard]] Result<v1::CardLinkStatus> card_status();
  /// Waits until `ready` holds of it; the error holds the last status and the logs.
  [[nodiscard]] Result<v1::CardLinkStatus> wait_for(
      const std::string& what, const std::function<bool(const v1::CardLinkStatus&)>& ready,
      int timeout_ms = 60'000);
  /// The breaker is closed and the card has decided `events` more.
  [[nodiscard]] Result<void> wait_for_traffic(std::uint64_t events = 1'000);
  [[nodiscard]] std::string logs() const;

 private:
  std::filesystem::path folder_;  // of the card
  Daemon daemon_;
  CardProcess card_;
};

}  // namespace kantrig::test
