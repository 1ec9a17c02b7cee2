// Cards: the seats of the shards and the supervisors of the cards, as the configuration wants them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "backend/card/card_seat.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/card_status.hpp"
#include "control/card_supervisor.hpp"
#include "control/model_registry.hpp"
#include "pipeline/shard.hpp"
#include "settings/settings.hpp"

namespace kantrig::apps {

/// With backend.kind "card": one seat a shard, one supervisor a socket; shard i belongs to socket i modulo
/// their count. Else empty, and every call does nothing.
///
/// Threading: the control thread. Outlives shards and models.
class Cards {
 public:
  explicit Cards(const settings::Settings& settings);

  [[nodiscard]] bool any() const noexcept { return !seats_.empty(); }
  [[nodiscard]] backend::CardSeat* seat(std::uint32_t shard) const {
    return any() ? seats_[shard].get() : nullptr;
  }
  /// In the order of shards.
  [[nodiscard]] std::vector<backend::CardSeat*> seats() const;

  /// Joins the cards, once the shards run.
  void start(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log,
             const std::vector<pipeline::Shard*>& shards);
  /// Gives them up, once the shards have ended.
  void stop();
  void want(const control::Roles& roles);
  void set_route(backend::Route route);
  [[nodiscard]] std::vector<control::CardStatus> status() const;
  /// One line a card, for /readyz: a card is never needed to be ready.
  [[nodiscard]] std::string readiness() const;

  /// A card and the seats at it.
  struct Card {
    std::vector<control::CardSupervisor::Seat> seats;
    std::unique_ptr<control::CardSupervisor> supervisor;  // empty before start()
  };
  [[nodiscard]] const std::vector<Card>& all() const noexcept { return cards_; }

 private:
  settings::CardSettings settings_;
  std::vector<std::unique_ptr<backend::CardSeat>> seats_;
  std::vector<Card> cards_;
};

}  // namespace kantrig::apps
