// CardSeat: a shard's place at a card, for as long as the daemon lives. Links come and go beneath it.
//
//   control thread                      shard's thread
//   offer(port)  ------ mailbox ----->  poll(): takes the port, proves it with golden vectors of each model
//   place(model) ------ mailbox ----->  that is placed, uses it
//   withdraw()                          gives the port up at the first sign of trouble; what was in flight
//   returned()   <----- mailbox ------  is decided on the CPU by the workspaces that wait for it
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "backend/card/seat_model.hpp"
#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "base/spsc_ring.hpp"
#include "card_link/port.hpp"

namespace kantrig::backend {

/// Where batches go: chosen by the operator.
enum class Route : std::uint8_t {
  kAuto,  // by measured cost: a lone small batch on the CPU, a loaded system fills the card
  kCpu,
  kCard,  // whatever the card can take
};

/// Why a seat gave its link up.
enum class Trouble : std::uint8_t {
  kNone,
  kDeadline,    // a slot did not come back in time
  kSlotFailed,  // the card said that it failed
  kCanary,      // golden vectors came back wrong
  kCrossCheck,  // live events came back wrong
  kProtocol,    // the rings hold what cannot be
};
[[nodiscard]] std::string_view name_of(Trouble trouble) noexcept;

enum class SeatState : std::uint8_t { kEmpty, kProving, kUp };

struct SeatOptions {
  std::uint64_t join_ns = 50'000;           // how long batches wait for others to share their slot
  std::uint64_t deadline_ns = 20'000'000;   // of a slot, from submission
  std::uint64_t canary_ns = 1'000'000'000;  // between golden vectors
  double cross_check = 0.01;                // fraction of the card's events decided on the CPU too
  std::uint64_t seed = 1;                   // which events these are
  const base::Clock* clock = nullptr;       // for what things cost; nullptr: the machine's
};

/// What a seat counts. Written by the shard, read by the scrape.
struct SeatProbe {
  base::Counter batches;  // decided by the card
  base::Counter events;
  base::Counter slots;               // that came back decided, golden vectors aside
  base::Counter taken_over_batches;  // begun on the card, decided on the CPU
  base::Counter taken_over_events;
  base::Counter canaries_passed;
  base::Counter canaries_failed;
  base::Counter cross_checked_events;
  base::Counter cross_check_failures;
  base::Counter passed_over_batches;  // wanted the card, which had no free slot
  base::Gauge slots_in_flight;
  base::LatencyHistogram slot;      // submission to taken back
  base::LatencyHistogram queueing;  // the stages of it, as the card tells them
  base::LatencyHistogram copy_in;
  base::LatencyHistogram fabric;
  base::LatencyHistogram copy_out;
};

class CardWorkspace;

/// Threading:  as the groups below say. The probe anywhere.
/// Allocation: none on the shard's thread.
class CardSeat {
 public:
  explicit CardSeat(SeatOptions options);
  ~CardSeat();
  CardSeat(const CardSeat&) = delete;
  CardSeat& operator=(const CardSeat&) = delete;

  // Control thread:
  /// Hands a fresh port over. False while the one before has not been returned.
  [[nodiscard]] bool offer(std::unique_ptr<card_link::DaemonPort> port);
  /// Asks the shard to give the port back; returned() says when it has.
  void withdraw() noexcept;
  /// The port that was given back, once; its link can then be closed.
  [[nodiscard]] std::unique_ptr<card_link::DaemonPort> returned();
  /// The card is ready with `model`: events of its load id may come here once its golden vectors were right.
  /// False when the shard has too many orders to read; then `model` is untouched.
  [[nodiscard]] bool place(std::unique_ptr<SeatModel>&& model);
  /// It no longer is, or nobody wants it.
  void drop(std::uint64_t load_id);
  [[nodiscard]] SeatState state() const noexcept { return state_.load(std::memory_order_acquire); }
  /// Why the port was given back last.
  [[nodiscard]] Trouble trouble() const noexcept { return trouble_.load(std::memory_order_acquire); }
  void set_route(Route route) noexcept { route_.store(route, std::memory_order_relaxed); }
  [[nodiscard]] Route route() const noexcept { return route_.load(std::memory_order_relaxed); }
  [[nodiscard]] const SeatProbe& probe() const noexcept { return probe_; }

  // Shard's thread:
  /// Once a turn: takes a port that was offered or gives one back, takes completions, enforces the deadline,
  /// submits what has waited long enough, sends golden vectors when they are due.
  void poll(std::uint64_t now_ns) noexcept;
  /// At the end of a turn with nothing more to read: submits the open slot if the card is idle.
  void flush(std::uint64_t now_ns) noexcept;
  /// How long the shard may sleep before poll() has something to do by itself, at most `at_most_ms`; 0: not
  /// at all.
  [[nodiscard]] std::uint32_t sleep_ms(std::uint64_t now_ns, std::uint32_t at_most_ms) const noexcept;
  /// Right before the shard sleeps; false: something came, do not sleep. awake() afterwards.
  [[nodiscard]] bool prepare_to_sleep() noexcept;
  void awake() noexcept;

 private:
  friend class CardWorkspace;
  struct State;  // the shard's own: port, models, slots, costs measured; seat_state.hpp
  struct Order {
    std::unique_ptr<card_link::DaemonPort> port;  // one of these three
    std::unique_ptr<SeatModel> model;
    std::uint64_t drop = 0;
  };
  static constexpr std::size_t kOrdersMax = 16;
  static constexpr std::size_t kRetiredMax = 32;  // more than orders and the models of a seat

  void give_up(Trouble trouble) noexcept;
  void clear_retired();

  base::SystemClock system_clock_;
  SeatProbe probe_;
  std::unique_ptr<State> state_of_shard_;
  std::atomic<SeatState> state_{SeatState::kEmpty};
  std::atomic<Trouble> trouble_{Trouble::kNone};
  std::atomic<Route> route_{Route::kAuto};
  std::atomic<bool> withdraw_{false};
  base::SpscRing<Order> orders_{kOrdersMax};
  base::SpscRing<std::unique_ptr<card_link::DaemonPort>> returned_{1};
  base::SpscRing<std::unique_ptr<SeatModel>> retired_{kRetiredMax};  // to be destroyed by the control thread
  bool offered_ = false;                                             // control thread: a port is out
};

}  // namespace kantrig::backend
