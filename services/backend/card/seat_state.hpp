// CardSeat::State: what the shard's thread knows of its port: slots, the batches that wait for them, the
// models that the card is ready with. Internal to this folder.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "backend/card/card_seat.hpp"
#include "backend/card/costs.hpp"

namespace kantrig::backend {

/// A batch's claim on a slot. It is void once the slot has gone to others.
struct SeatTicket {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;  // 0: no claim
};

enum class SlotUse : std::uint8_t {
  kFree,
  kOpen,      // batches may join
  kInFlight,  // at the card
  kBack,      // decided; its batches read their results
};

struct SeatSlot {
  static constexpr std::uint32_t kLetGoBits = 16;
  static constexpr std::uint32_t kJoinedMax = (1U << kLetGoBits) - 1;

  SlotUse use = SlotUse::kFree;
  bool golden = false;
  std::uint32_t model = 0;  // of State::models
  std::uint32_t events = 0;
  std::uint32_t events_max = 0;
  std::uint32_t joined = 0;  // batches
  std::uint64_t opened_ns = 0;
  std::uint64_t submit_ns = 0;
  std::uint64_t host_ns = 0;  // what it cost this thread so far
  /// serial << kLetGoBits | batches that need it no longer. The one thing here that another thread touches: a
  /// workspace that is destroyed while it waits lets go from there.
  std::atomic<std::uint64_t> claims{0};
};

struct ModelPlace {
  std::unique_ptr<SeatModel> model;  // empty: this place is free
  bool proven = false;
  bool dropped = false;  // leaves when no slot uses it
  std::uint32_t slots = 0;
  std::uint64_t next_try_ns = 0;  // of golden vectors
  std::uint64_t used_ns = 0;
  Costs costs;
};

struct CardSeat::State {
  static constexpr std::size_t kModelsMax = 8;
  enum class Look : std::uint8_t { kWaiting, kBack, kVoid };
  /// Where the records of a batch go.
  struct Room {
    SeatTicket ticket;
    std::uint32_t first = 0;  // event of the slot
    std::span<std::byte> records;
  };

  State(CardSeat& seat, const SeatOptions& seat_options);

  // Orders and the link: card_seat.cpp
  void follow(Order& order) noexcept;
  void lose_port() noexcept;  // all claims are void, all models leave
  void add_model(std::unique_ptr<SeatModel> model) noexcept;
  void retire(ModelPlace& place) noexcept;

  // Slots: seat_slots.cpp
  [[nodiscard]] std::optional<std::uint32_t> usable(std::uint64_t load_id) noexcept;
  [[nodiscard]] bool lone(std::uint32_t backlog) const noexcept;
  /// Room for a batch of `events` in the open slot or a new one; nothing when there is none.
  [[nodiscard]] std::optional<Room> join(std::uint32_t model, std::uint32_t events) noexcept;
  /// The records of a batch are written, which took `ns`.
  void joined(const Room& room, std::uint64_t ns) noexcept;
  [[nodiscard]] Look look(const SeatTicket& ticket) const noexcept;
  /// The batch has its results, or needs none; dealing with them took `ns`.
  void let_go(const SeatTicket& ticket, std::uint64_t ns) noexcept;
  /// The same from any thread.
  void let_go_elsewhere(const SeatTicket& ticket) noexcept;
  void submit(std::uint32_t slot) noexcept;
  void submit_open() noexcept;
  [[nodiscard]] Trouble take_back() noexcept;
  [[nodiscard]] bool late() const noexcept;
  void reap(std::uint32_t slot) noexcept;

  // Golden vectors: seat_slots.cpp
  void prove() noexcept;
  [[nodiscard]] std::optional<std::uint32_t> due_for_proof() const noexcept;
  /// When golden vectors are due next; UINT64_MAX when never.
  [[nodiscard]] std::uint64_t next_proof_ns() const noexcept;

  /// Those of the port.
  [[nodiscard]] std::span<const SeatSlot> slots_there() const noexcept {
    return std::span(slots).first(port->shape().slots);
  }
  [[nodiscard]] SeatSlot& slot_of(const SeatTicket& ticket) noexcept { return slots[ticket.slot]; }
  [[nodiscard]] std::uint64_t clock_ns() const noexcept { return clock.now_ns(); }

  CardSeat& owner;
  SeatOptions options;
  const base::Clock& clock;
  SeatProbe& probe;
  std::unique_ptr<card_link::DaemonPort> port;
  std::array<SeatSlot, card_link::kSlotsMax> slots;
  std::array<ModelPlace, kModelsMax> models;
  std::optional<std::uint32_t> open;
  std::optional<std::uint32_t> last_used;  // model
  std::uint32_t batches_in_flight = 0;     // slots with events
  bool golden_in_flight = false;
  std::uint64_t next_serial = 1;
  std::uint64_t next_canary_ns = 0;
  std::uint64_t now_ns = 0;  // of the turn

 private:
  [[nodiscard]] std::optional<std::uint32_t> free_slot() const noexcept;
  [[nodiscard]] SeatSlot& begin_slot(std::uint32_t slot, std::uint32_t model) noexcept;
  [[nodiscard]] std::uint32_t capacity_of(const SeatModel& model) const noexcept;
  [[nodiscard]] Trouble came_back(const card_link::Completion& completion) noexcept;
  [[nodiscard]] Trouble golden_came_back(std::uint32_t number, SeatSlot& slot) noexcept;
  void observe(const card_link::Completion& completion) noexcept;
  void free(SeatSlot& slot) noexcept;
};

}  // namespace kantrig::backend
