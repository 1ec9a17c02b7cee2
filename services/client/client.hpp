// Client: sends events to kantrigd and gets decisions. An example of one screen: example/main.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "client/answer.hpp"
#include "client/batch.hpp"
#include "client/session.hpp"

namespace kantrig::client {

/// One lane. Every batch taken by submit() gets exactly one answer, whatever becomes of the connection or the
/// daemon in between: what is not answered is kept and sent again, and the daemon decides it once.
///
/// Nothing happens on its own: poll() (or a call that waits) must be called often enough for answers,
/// heartbeats and resends; an idle client at least once per heartbeat interval. A source that needs more
/// throughput than one lane gives opens several clients, each with a lane and a thread of its own.
///
/// Threading:  one thread; callbacks run in it, within poll(), submit(), wait_answers(), close() and the
/// destructor.
///             A callback may call submit() (which then never waits), and nothing else that polls.
/// Allocation: a few per batch.
class Client {
 public:
  /// Waits until welcomed, at most connect_timeout_ms. Errors: kTimeout when nobody answers; kBusy when the
  /// daemon refuses the lane, with its reason.
  [[nodiscard]] static Result<Client> connect(const Options& options);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  /// Without close(): pending batches are answered with Outcome::kClosed.
  ~Client();

  /// Takes `batch` and sends it when the credit allows. Errors: kInvalid when its sizes disagree or exceed
  /// what the daemon takes at once; kBusy when as many batches as Options allow are pending, also after
  /// submit_wait_ms. After an error the payload is gone.
  [[nodiscard]] Result<Sequence> submit(Batch batch, AnswerCallback on_answer);
  /// The same with a future, which becomes ready within a later poll(): waiting for it without polling waits
  /// forever.
  [[nodiscard]] Result<std::future<Decisions>> submit(Batch batch);
  /// True when submit() would take a batch of `payload_bytes` at once.
  [[nodiscard]] bool has_room(std::size_t payload_bytes) const noexcept;

  /// Receives, sends and beats; waits up to `timeout_ms` when there is nothing to do. Returns the batches
  /// answered.
  std::size_t poll(std::uint32_t timeout_ms);
  /// Polls until every batch is answered. kTimeout says how many are not.
  [[nodiscard]] Result<void> wait_answers(std::uint32_t timeout_ms);
  /// Submits and waits for the answer.
  [[nodiscard]] Result<Decisions> decide(Batch batch, std::uint32_t timeout_ms = 10'000);

  /// Waits for all answers, leaves the client's own counts of the present run with the daemon, which compares
  /// them with its ledger's, and closes the lane. Returns those counts. After kTimeout the client goes on.
  [[nodiscard]] Result<wire::Bye> close(std::uint32_t timeout_ms);

  [[nodiscard]] bool connected() const noexcept;       // and welcomed
  [[nodiscard]] std::size_t pending() const noexcept;  // batches without an answer
  [[nodiscard]] const Session& session() const noexcept;
  [[nodiscard]] const wire::Credit& credit() const noexcept;  // as last renewed
  [[nodiscard]] const Statistics& statistics() const noexcept;
  /// From the first time a batch was sent to its decision.
  [[nodiscard]] const base::LatencyHistogram& latency() const noexcept;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::client
