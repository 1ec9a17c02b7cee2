// CardSupervisor: joins the daemon to a card's process, asks it for models, and takes it out and brings it
// back: the circuit breaker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "backend/card/card_model.hpp"
#include "backend/card/card_seat.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "card_link/messages.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

struct CardOptions {
  std::filesystem::path socket;  // where kantrig-card listens
  card_link::RegionShape shape;  // ports: one a seat
  std::uint32_t retry_min_ms = 250;
  std::uint32_t retry_max_ms = 30'000;
  std::uint32_t beat_timeout_ms = 1'000;   // silence of the card's runner
  std::uint32_t load_timeout_ms = 60'000;  // a U250 takes 8 s
  std::uint32_t hello_timeout_ms = 5'000;
  std::uint32_t poll_ms = 20;  // between two looks at seats and heartbeat
  std::uint64_t seed = 1;      // of the jitter between tries
};

enum class Breaker : std::uint8_t {
  kOpen,      // no traffic; waits for the next try
  kHalfOpen,  // joining, loading, proving
  kClosed,    // traffic
};

/// What is known of one card. Gauges and counters for metrics and `kantrig status`.
struct CardFigures {
  std::string socket;
  std::string device;  // PCI address; empty before the first joining
  Breaker breaker = Breaker::kOpen;
  std::string reason;  // why it is not closed; empty when it is
  card_link::CardState card_state = card_link::CardState::kUnspecified;
  std::uint64_t joins = 0;
  std::uint64_t opened[10] = {};  // by reason: open_reasons()
  std::uint64_t loads[4] = {};    // by LoadKind
  std::uint64_t loads_failed = 0;
  std::uint64_t last_load_ns = 0;
  std::uint64_t last_program_ns = 0;
  card_link::LoadKind last_load_kind = card_link::LoadKind::kUnspecified;
};
/// Names of the reasons that open the breaker, in the order of CardFigures::opened: the metric's label.
[[nodiscard]] std::vector<std::string> open_reasons();

/// Joins, loads, proves, and lets go. A link that has seen any trouble is given up whole: the socket is
/// closed, every seat gives its port back, and the next try, with a new region, comes after a pause that
/// doubles. A card that cannot take a model is no trouble: the CPU decides.
///
/// Threading: owned by the thread that runs `io`, which it never blocks for longer than a connect() to a
/// local
///            socket takes.
class CardSupervisor {
 public:
  /// One seat a port, each with the shard's doorbell (an eventfd that wakes it), which stays the caller's.
  struct Seat {
    std::uint32_t shard = 0;
    backend::CardSeat* seat = nullptr;
    int doorbell = -1;
  };
  CardSupervisor(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log,
                 CardOptions options, std::vector<Seat> seats);
  ~CardSupervisor();

  void start();
  /// Gives the link up for good; call it when the shards have ended.
  void stop();
  /// What the card should have: `active` first, `previous` if there is room. A model that it is ready with
  /// takes effect at once; else it is loaded, while the CPU decides.
  void want(std::shared_ptr<const pipeline::LoadedModel> active,
            std::shared_ptr<const pipeline::LoadedModel> previous);
  void set_route(backend::Route route);
  [[nodiscard]] const CardFigures& figures() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kantrig::control
