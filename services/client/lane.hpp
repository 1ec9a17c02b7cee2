// Lane: one lane's conversation with the daemon, step by step. Internal to client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "base/result.hpp"
#include "client/answer.hpp"
#include "client/connection.hpp"
#include "client/session.hpp"
#include "client/window.hpp"
#include "wire/client_codec.hpp"

namespace kantrig::client {

/// Says Hello on every connection, sends within the credit, sends again what was lost, answers drains, beats.
///
/// Threading: one owner. Callbacks run within step() and abandon(); they may enqueue.
class Lane {
 public:
  [[nodiscard]] static Result<Lane> open(const Options& options, wire::Context& context,
                                         const base::Clock& clock);
  Lane(Lane&&) = default;
  Lane& operator=(Lane&&) = default;

  /// Bounded work: events of the connection, messages, timers, sends. Returns how much was done.
  std::size_t step();
  /// Sends what the credit allows, without reading.
  std::size_t pump();
  void wait(std::uint32_t timeout_ms) noexcept { connection_.wait(timeout_ms, blocked_); }

  [[nodiscard]] bool is_open() const noexcept { return state_ == State::kOpen; }
  /// Room for a batch of `payload_bytes`.
  [[nodiscard]] bool has_room(std::size_t payload_bytes) const noexcept;
  /// Precondition: has_room().
  Sequence enqueue(PendingBatch batch);
  /// Sends Bye once everything is answered; bye_echo() follows.
  void say_bye() noexcept { closing_ = true; }
  [[nodiscard]] const std::optional<wire::Bye>& bye_echo() const noexcept { return bye_echo_; }
  /// Answers every pending batch with `outcome`.
  void abandon(Outcome outcome);

  [[nodiscard]] bool delivering() const noexcept { return delivering_; }
  [[nodiscard]] const Window& window() const noexcept { return window_; }
  [[nodiscard]] const wire::Credit& credit() const noexcept { return credit_; }
  [[nodiscard]] const wire::Credit& credit_max() const noexcept { return credit_max_; }
  [[nodiscard]] const Session& session() const noexcept { return session_; }
  [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }
  [[nodiscard]] const base::LatencyHistogram& latency() const noexcept { return *latency_; }
  /// Why the daemon does not welcome this lane; empty when it does or was not reached.
  [[nodiscard]] const std::optional<Error>& refusal() const noexcept { return refusal_; }
  /// Of the present run: what Bye leaves.
  [[nodiscard]] wire::Bye own_counts() const noexcept;

 private:
  enum class State : std::uint8_t { kConnecting, kGreeting, kOpen };
  Lane(const Options& options, wire::Context& context, const base::Clock& clock, Connection connection,
       std::uint64_t instance);

  void reopen(const std::string& endpoint);
  void start_greeting() noexcept;
  [[nodiscard]] bool send_hello() noexcept;
  std::size_t receive_some();
  void on_message(const wire::ServerMessage& message);
  void on_welcome(const wire::WelcomeView& welcome);
  void on_decision(const wire::DecisionView& decision);
  void on_passing(const wire::DecisionView& decision);
  void take_credit(const wire::Credit& credit, bool unasked) noexcept;
  void lose_books(Sequence next);
  void deliver(PendingBatch& batch, Outcome outcome, const wire::DecisionView& decision);
  void count(const PendingBatch& batch, Outcome outcome, const wire::DecisionView& decision) noexcept;
  void tend_timers();
  void beat() noexcept;
  [[nodiscard]] bool send_batch(PendingBatch& batch) noexcept;
  void send_drain_ack() noexcept;
  void send_bye() noexcept;

  Options options_;
  wire::Context* context_;
  const base::Clock* clock_;
  std::uint64_t instance_;
  Connection connection_;
  Window window_;
  wire::ServerDecoder decoder_;
  wire::Frame frame_;
  std::unique_ptr<base::LatencyHistogram> latency_;  // its counters do not move

  State state_ = State::kConnecting;
  bool welcomed_before_ = false;
  bool was_open_ = false;
  bool blocked_ = false;
  bool delivering_ = false;
  bool drain_ack_due_ = false;
  bool closing_ = false;
  bool bye_sent_ = false;
  std::uint32_t redirects_ = 0;
  std::uint64_t now_ns_ = 0;
  std::uint64_t state_since_ns_ = 0;
  std::uint64_t hello_ns_ = 0;
  std::uint64_t last_sent_ns_ = 0;
  std::uint64_t heartbeat_ns_ = 0;  // of the oldest unanswered one; 0: none
  std::uint64_t heartbeat_number_ = 0;
  std::uint64_t held_until_ns_ = 0;
  std::uint64_t resend_after_ns_ = 0;
  wire::Credit credit_;
  wire::Credit credit_max_;  // the largest seen: what a batch may be at all
  Session session_;
  Statistics statistics_;
  std::optional<Error> refusal_;
  std::optional<wire::Bye> bye_echo_;
  wire::Bye run_counts_;  // of answered batches
};

}  // namespace kantrig::client
