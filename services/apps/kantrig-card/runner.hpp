// Runner: slots through the card. A taking thread and a completing thread, and what the supervisor tells
// them.
//
//   daemon's rings --> Taker: copy in, start --> ring --> Completer: wait, copy out --> daemon's rings
//                        ^ orders of the supervisor            | which of them is carried out
//                        +-------------------------------------+
//
// With completion by polling the two take turns on one thread. An order passes through both, behind the slots
// that came before it: when it has come out, everything that began before it has ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "apps/kantrig-card/fault_box.hpp"
#include "apps/kantrig-card/figures.hpp"
#include "apps/kantrig-card/station.hpp"
#include "base/agent.hpp"
#include "base/clock.hpp"
#include "base/spsc_ring.hpp"
#include "card_link/doorbell.hpp"

namespace kantrig::card_host {

enum class CompletionMode : std::uint8_t { kInterrupt, kPolling };

struct RunnerOptions {
  CompletionMode completion = CompletionMode::kInterrupt;
  std::uint64_t deadline_ns = 1'000'000'000;  // of a run, from when it could begin
  std::uint32_t runs_max = 64;                // in flight, over all compute units
  std::uint64_t spin_ns = 0;                  // how long the taking thread looks before it sleeps
};

/// Where slots of a load id go. Those of others come back as not loaded.
struct Route {
  std::uint64_t load_id = 0;
  std::uint32_t bank = 0;
  kan::RecordLayout input;
  kan::RecordLayout output;
};
using Routes = std::vector<Route>;

/// What the supervisor tells the threads. `station` and `routes` hold from then on.
struct Order {
  enum class Kind : std::uint8_t {
    kNone,
    kContinue,  // with this station and these routes
    kAbandon,   // slots in flight stay unanswered and their station is let go of; there are no others
    kAnswer,    // those abandoned come back as `status`
  };
  Kind kind = Kind::kNone;
  std::uint64_t number = 0;
  std::shared_ptr<Station> station;
  std::shared_ptr<const Routes> routes;
  card_link::SlotStatus status = card_link::SlotStatus::kNone;
  std::uint32_t error = 0;
};

/// A slot on its way, or an order between them.
struct Passage {
  Order order;  // of kind kNone: a slot
  Station* station = nullptr;
  card_link::CardPort* port = nullptr;
  Run* run = nullptr;  // null: to be answered as it is
  bool stuck = false;  // its run has a fault: it is answered after the recovery
  const Buffer* output = nullptr;
  std::size_t output_bytes = 0;
  std::uint32_t unit = 0;
  std::uint32_t events = 0;
  card_link::Completion completion;
};

/// What the two threads share with the supervisor.
struct RunnerShared {
  RunnerShared(const base::Clock& a_clock, RunnerOptions an_options, Figures& some_figures,
               card_link::Doorbell for_taker, card_link::Doorbell for_completer,
               card_link::Doorbell for_supervisor)
      : clock(a_clock),
        options(an_options),
        figures(some_figures),
        taker(std::move(for_taker)),
        completer(std::move(for_completer)),
        supervisor(std::move(for_supervisor)) {}
  const base::Clock& clock;
  RunnerOptions options;
  Figures& figures;
  card_link::Doorbell taker, completer, supervisor;  // each wakes one thread
  FaultBox faults;
  base::SpscRing<Order> orders{16};
  base::SpscRing<Passage> passages{256};
  std::atomic<std::uint32_t> in_flight{0};    // slots between taking and giving back
  std::atomic<bool> completer_asleep{false};  // wants its bell
  std::atomic<bool> taker_waits{false};       // for a place in flight
  std::atomic<std::uint64_t> taken_up{0};     // number of the last order that slots are taken by
  std::atomic<std::uint64_t> carried_out{0};  // number of the last order that came out
  std::atomic<std::uint64_t> broken_link{0};  // number of the order whose link broke the protocol
};

class Taker;
class Completer;

/// Threading: the supervisor's thread.
class Runner {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Runner>> start(const base::Clock& clock, RunnerOptions options,
                                                             Figures& figures);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Returns the order's number.
  std::uint64_t give(Order order);
  [[nodiscard]] bool carried_out(std::uint64_t number) const noexcept;
  /// Waits until slots are taken by it: whoever is told of it afterwards finds it in force. Not longer than
  /// `timeout_ns`, for the taking thread may hang.
  void wait_taken_up(std::uint64_t number, std::uint64_t timeout_ns) const;
  enum class Faults : std::uint8_t { kEndIt, kIgnore };
  /// Waits until it is carried out. False after `timeout_ns`, or when a fault waits to be dealt with.
  [[nodiscard]] bool wait(std::uint64_t number, std::uint64_t timeout_ns, Faults faults) const;
  [[nodiscard]] FaultBox& faults() noexcept { return shared_.faults; }
  /// Rings when an order is carried out, at a fault and at a broken link; others may ring it too.
  [[nodiscard]] const card_link::Doorbell& bell() const noexcept { return shared_.supervisor; }
  /// True when the link that order `number` or a later one brought broke the protocol.
  [[nodiscard]] bool link_broken(std::uint64_t number) const noexcept;

 private:
  Runner(const base::Clock& clock, RunnerOptions options, Figures& figures, card_link::Doorbell taker,
         card_link::Doorbell completer, card_link::Doorbell supervisor);

  RunnerShared shared_;
  std::unique_ptr<Taker> taker_;
  std::unique_ptr<Completer> completer_;
  std::unique_ptr<base::Agent> both_;  // polling: the two on one thread
  std::uint64_t given_ = 0;
  std::unique_ptr<base::AgentThread> completer_thread_;  // ended last
  std::unique_ptr<base::AgentThread> taker_thread_;
};

}  // namespace kantrig::card_host
