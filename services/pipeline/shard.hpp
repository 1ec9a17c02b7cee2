// Shard: the agent that owns a socket and takes each batch from receipt to answer. Data flow: README.md in
// this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/card/card_seat.hpp"
#include "base/agent.hpp"
#include "base/clock.hpp"
#include "base/spsc_ring.hpp"
#include "ledger/shard_ledger.hpp"
#include "pipeline/conditions.hpp"
#include "pipeline/decider.hpp"
#include "pipeline/probe.hpp"
#include "pipeline/session_table.hpp"
#include "pipeline/under_way.hpp"
#include "wire/context.hpp"
#include "wire/decoder.hpp"
#include "wire/encoder.hpp"
#include "wire/server_socket.hpp"

namespace kantrig::pipeline {

struct ShardOptions {
  std::uint32_t index = 0;
  std::uint32_t shard_count = 1;
  wire::ServerSocketOptions socket;
  std::vector<std::string> owner_endpoints;  // of every shard: where Welcome sends a lane that is not ours
  std::filesystem::path ledger_file;
  ledger::LedgerLimits ledger;
  std::uint32_t events_per_batch_max = 16'384;
  /// Batches that a card may have at once; 1: each is decided before the next is received.
  std::uint32_t batches_under_way = 1;
  backend::CardSeat* seat = nullptr;                     // where they go; it outlives the shard
  std::size_t frame_bytes_max = std::size_t{16} << 20U;  // a larger frame is malformed
  std::vector<std::uint32_t> sources;                    // allowed; empty: any
  wire::Credit credit;                                   // of one lane
  std::uint32_t heartbeat_interval_ms = 1'000;
  std::uint64_t lane_timeout_ns = 5'000'000'000;
  std::uint32_t unsent_answers_max = 2'048;
  bool busy_poll = false;     // never sleep
  std::uint64_t spin_ns = 0;  // how long to look again before sleeping
};

/// What a client said at its Bye, and what the ledger holds of its lane in this run.
struct Goodbye {
  wire::Bye client;
  std::uint64_t instance = 0;
  ledger::Counts ledger;
};

/// Threading:  do_work() and wait_for_work() in the shard's thread; ShardControl in the control thread; the
/// probe and
///             ShardLedger::snapshot() anywhere.
/// Allocation: none between decode and encode; ZeroMQ allocates for what it sends.
class Shard final : public base::Agent, public ShardControl {
 public:
  /// Opens the ledger and binds the socket. Decides nothing before the first conditions are adopted.
  [[nodiscard]] static Result<std::unique_ptr<Shard>> create(ShardOptions options, wire::Context& context,
                                                             const base::Clock& clock);
  ~Shard() override;

  /// Closes the block. After the last do_work(), from whoever ended its thread.
  void end() noexcept;

  std::size_t do_work() noexcept override;
  void wait_for_work() noexcept override;

  [[nodiscard]] bool adopt(std::shared_ptr<const Conditions> next) override;
  [[nodiscard]] std::shared_ptr<const Conditions> adopted() override;
  [[nodiscard]] bool drained() override;
  [[nodiscard]] ledger::ShardLedger& books() override { return books_; }
  /// The next client's farewell, if any. Control thread.
  [[nodiscard]] std::optional<Goodbye> next_goodbye() { return goodbyes_.try_pop(); }

  [[nodiscard]] const ShardProbe& probe() const noexcept { return probe_; }
  /// Every line that any menu of this process has had, by name. Control thread.
  using LineProbes = std::map<std::string, LineProbe, std::less<>>;
  [[nodiscard]] const LineProbes& line_probes() const noexcept { return line_probes_; }
  [[nodiscard]] const std::vector<std::string>& endpoints() const noexcept { return socket_.endpoints(); }
  /// An eventfd: whoever has work for the shard writes to it.
  [[nodiscard]] int doorbell() const noexcept { return wake_fd_; }

 private:
  Shard(ShardOptions options, const base::Clock& clock, ledger::ShardLedger books, wire::ServerSocket socket,
        int wake_fd);

  // shard.cpp: the duty cycle.
  std::size_t adopt_next() noexcept;
  void run_timers() noexcept;
  void account_time() noexcept;
  std::size_t receive_messages() noexcept;
  void handle_message() noexcept;
  void handle_session_message(const wire::ClientMessage& message) noexcept;
  [[nodiscard]] const Conditions& conditions() const noexcept { return decider_->conditions(); }
  [[nodiscard]] bool giving_credit() const noexcept;
  [[nodiscard]] std::uint64_t unix_ns() const noexcept { return now_ns_ + unix_offset_ns_; }

  // shard_batches.cpp: from header to answer.
  void on_batch(const wire::ClientMessage& message) noexcept;
  void on_malformed(const wire::ClientMessage& message) noexcept;
  struct Refusal {
    wire::Reason reason = wire::Reason::kNone;
    std::string_view detail;
  };
  [[nodiscard]] Session* session_of(const wire::BatchHeader& header) noexcept;
  [[nodiscard]] bool reads_too_little(const Session& session, const wire::BatchHeader& header) const noexcept;
  [[nodiscard]] bool takes_next(Session& session, const wire::BatchHeader& header) noexcept;
  [[nodiscard]] Refusal check_against_model(const wire::BatchHeader& header) const noexcept;
  void begin(Session& session, const wire::BatchHeader& header, std::span<const std::byte> payload) noexcept;
  void finish(const Batch& batch) noexcept;
  void finish_undecided(Session& session, const wire::BatchHeader& header, Refusal why) noexcept;
  void refuse(std::optional<ledger::LaneHandle> lane, const wire::BatchHeader& header, Refusal why,
              Sequence expected) noexcept;
  void answer_again(Session& session, const wire::BatchHeader& header,
                    std::span<const std::byte> kept) noexcept;
  [[nodiscard]] wire::DecisionView answer_to(const wire::BatchHeader& header) const noexcept;
  void hold_answer(Session& session, Sequence sequence, std::span<const std::byte> answer,
                   std::uint64_t receive_ns) noexcept;
  void send_held_answers() noexcept;
  [[nodiscard]] std::uint64_t answer_bytes_max(const wire::BatchHeader& header) const noexcept;
  void watch_ranges(std::uint32_t events) noexcept;
  void run_shadow(const Batch& batch) noexcept;

  // shard_under_way.cpp: batches that a card has.
  [[nodiscard]] bool has_room() const noexcept { return decider_->under_way() < decider_->depth(); }
  [[nodiscard]] bool follows(const Session& session, const wire::BatchHeader& header) const noexcept;
  void put_under_way(const Batch& batch) noexcept;
  std::size_t finish_done() noexcept;
  void finish_oldest() noexcept;
  void settle() noexcept;
  void wait_for_card() noexcept;
  void wait_for_doorbell(std::uint64_t wait_ns) noexcept;
  void hear_doorbell() noexcept;

  // shard_sessions.cpp: greeting, heartbeats, credit, drain.
  void on_hello(const wire::Hello& hello) noexcept;
  void refuse_hello(wire::Reason reason, std::string_view detail) noexcept;
  void on_heartbeat(const wire::Heartbeat& heartbeat) noexcept;
  void on_drain_ack(const wire::DrainAck& ack) noexcept;
  void on_bye(const wire::Bye& bye) noexcept;
  void send_credit_to_all() noexcept;
  void drop_silent_sessions() noexcept;
  void send_unsent_answers() noexcept;
  void send_answer(Session& session, Sequence sequence, std::span<const std::byte> answer) noexcept;
  void cut_if_unread(Session& session) noexcept;
  void send_small(const wire::Identity& to, std::size_t bytes) noexcept;
  void publish_gauges() noexcept;
  void compute_credit() noexcept;
  [[nodiscard]] wire::Credit credit() const noexcept;
  [[nodiscard]] bool source_allowed(SourceId source) const noexcept;

  ShardOptions options_;
  const base::Clock& clock_;
  ledger::ShardLedger books_;
  wire::ServerSocket socket_;
  int wake_fd_;
  UnderWay under_way_;
  wire::Decoder decoder_;
  wire::Encoder encoder_;
  SessionTable sessions_;
  ShardProbe probe_;
  std::vector<std::byte> scratch_;      // small messages and refusals
  std::vector<std::uint32_t> clamped_;  // of the batch in hand, per feature
  std::unique_ptr<bool[]> lanes_live_;
  wire::Credit granted_;  // what a lane gets while credit is given
  /// Small answers of one turn leave together, so that a turn wakes ZeroMQ's I/O thread once. They lie in the
  /// ledger.
  struct HeldAnswer {
    Session* session = nullptr;
    Sequence sequence;
    std::span<const std::byte> bytes;
    std::uint64_t receive_ns = 0;
    std::uint64_t decided_ns = 0;
  };
  static constexpr std::size_t kHeldMax = 64;
  std::array<HeldAnswer, kHeldMax> held_;
  std::size_t held_count_ = 0;
  std::size_t held_bytes_ = 0;
  wire::Credit credit_told_;  // to all, last

  base::SpscRing<std::unique_ptr<Decider>> commands_;  // control -> shard
  base::SpscRing<std::unique_ptr<Decider>> retired_;   // shard -> control: replaced, to be destroyed there
  base::SpscRing<Goodbye> goodbyes_;                   // shard -> control
  std::unique_ptr<Decider> decider_;                   // empty before the first adoption
  std::unique_ptr<Decider> next_;                      // popped, waits for a free place in the books
  // Control thread's side: what was handed over and not yet come into force, and what is in force.
  std::vector<std::shared_ptr<const Conditions>> handed_over_;
  std::shared_ptr<const Conditions> in_force_;
  LineProbes line_probes_;

  std::uint64_t now_ns_ = 0;          // of this turn; within a batch, of the last event in its life
  std::uint64_t unix_offset_ns_ = 0;  // Unix time minus monotonic time
  std::uint64_t last_work_ns_ = 0;
  std::size_t found_messages_ = 0;     // of this turn
  std::size_t expected_messages_ = 0;  // as many as the turn before found, or more when it did not find all
  std::uint64_t next_timer_ns_ = 0;
  std::uint64_t time_accounted_ns_ = 0;
  std::uint64_t busy_ns_ = 0;     // since then
  std::uint64_t settled_ns_ = 0;  // ever spent in settle(), which counts its own
};

}  // namespace kantrig::pipeline
