// Supervisor: the card's life: waits for the device, does what daemon and operators ask, recovers from
// faults.
//
//   absent --opened--> idle --load--> loading --> ready --load--> loading ...
//     ^                  \                          |
//     +--- cannot open ---- recovering <-- fault ---+
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/kantrig-card/card.hpp"
#include "base/agent.hpp"
#include "card_link/messages.hpp"

namespace kantrig::card_host {

struct RetryOptions {
  std::uint64_t min_ns = 250'000'000;
  std::uint64_t max_ns = 30'000'000'000;
  std::uint64_t calm_ns = 10'000'000'000;  // a recovery that held this long starts the next one anew
};

/// What the supervisor tells; called on its thread.
struct SupervisorEvents {
  std::function<void(const card_link::StateChange&)> state;
  std::function<void(const card_link::Loaded&)> loaded;
  std::function<void(std::uint64_t ticket, const card_link::CommandDone&)> done;
  std::function<void(const std::string& why)> dismissed;  // the daemon: it must go
  std::function<void()> left;                             // its slots are all back
};

/// What is known of the card at a moment.
struct CardSnapshot {
  DeviceName device;
  std::string platform;
  card_link::StateChange state;
  std::string xclbin;  // uuid
  std::size_t compute_units = 0;
  std::vector<card_link::ModelStatus> models;
  std::vector<card_link::Sensor> sensors;
};

/// Threading: an agent's thread; the groups below as they say.
class Supervisor final : public base::Agent {
 public:
  Supervisor(Card::Parts parts, CardOptions options, RetryOptions retry, CompletionMode mode,
             SupervisorEvents events);
  ~Supervisor() override;

  // Any thread:
  static constexpr std::size_t kRequestsMax = 64;
  /// False when too many wait.
  [[nodiscard]] bool join(std::shared_ptr<Link> link);
  void leave();  // never refused
  [[nodiscard]] bool load(card_link::Load load, std::uint64_t received_ns);
  [[nodiscard]] bool command(std::uint64_t ticket, card_link::Command command);
  [[nodiscard]] CardSnapshot snapshot() const;

  // Its thread:
  std::size_t do_work() noexcept override;
  void wait_for_work() noexcept override;

 private:
  struct Join {
    std::shared_ptr<Link> link;
  };
  struct Leave {};
  struct LoadOrder {
    card_link::Load load;
    std::uint64_t received_ns = 0;
  };
  struct CommandOrder {
    std::uint64_t ticket = 0;
    card_link::Command command;
  };
  using Request = std::variant<Join, Leave, LoadOrder, CommandOrder>;
  [[nodiscard]] bool ask(Request request, std::size_t requests_max);
  [[nodiscard]] std::optional<Request> next_request();

  void handle(Join& request);
  void handle(Leave& request);
  void handle(LoadOrder& request);
  void handle(CommandOrder& request);
  void refuse_load(std::uint64_t load_id, std::string why);
  [[nodiscard]] card_link::CommandDone carry_out(const card_link::Command& command);
  [[nodiscard]] bool handle_fault();
  [[nodiscard]] bool try_again();
  void postpone(const Fault& fault);
  void tell(card_link::CardState state, std::string reason);
  void tell_changed();
  void settle(std::string reason);
  void read_sensors();

  const base::Clock& clock_;
  base::Logger& log_;
  Runner& runner_;
  Figures& figures_;
  RetryOptions retry_;
  CompletionMode mode_;
  SupervisorEvents events_;
  Card card_;
  bool leaving_ = false;
  bool up_ = false;  // open and proved
  bool ever_up_ = false;
  bool reset_due_ = false;
  std::uint64_t retry_at_ns_ = 0;
  std::uint64_t retry_wait_ns_ = 0;
  std::uint64_t up_since_ns_ = 0;
  std::uint64_t sensors_at_ns_ = 0;
  std::string last_trouble_;

  std::mutex requests_mutex_;
  std::deque<Request> requests_;
  mutable std::mutex snapshot_mutex_;
  CardSnapshot snapshot_;
};

}  // namespace kantrig::card_host
