// A daemon at the other end of a kantrig-card, as small as can be: joins with a region of its own, has models
// loaded, and puts golden vectors through slots.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "card_link/messages.hpp"
#include "card_link/packet_socket.hpp"
#include "card_link/port.hpp"
#include "kan/bundle.hpp"

namespace kantrig::test {

/// Somebody who has connected and says packets; what comes back is kept in order.
///
/// Threading: one thread.
class CardCaller {
 public:
  static constexpr std::uint32_t kAnswerMs = 30'000;

  /// Waits until somebody listens.
  [[nodiscard]] static Result<std::unique_ptr<CardCaller>> connect(const std::filesystem::path& socket);
  /// Connects and greets as an operator.
  [[nodiscard]] static Result<std::unique_ptr<CardCaller>> connect_operator(
      const std::filesystem::path& socket);

  [[nodiscard]] Result<void> send(const card_link::Message& message,
                                  const std::vector<int>& descriptors = {});
  [[nodiscard]] Result<void> send_bytes(std::string_view bytes, const std::vector<int>& descriptors = {});
  /// The next message of any kind; kTimeout, or kIo when the card has hung up.
  [[nodiscard]] Result<card_link::Message> next(std::uint32_t timeout_ms = kAnswerMs);
  /// The next answer of this kind. State changes are kept in `states`, a refusal is an error.
  template <typename Answer>
  [[nodiscard]] Result<Answer> answer(std::uint32_t timeout_ms = kAnswerMs) {
    for (;;) {
      auto message = next(timeout_ms);
      if (!message) return tl::unexpected(message.error());
      if (auto* wanted = std::get_if<Answer>(&*message)) return std::move(*wanted);
      if (auto* refusal = std::get_if<card_link::Refusal>(&*message))
        return fail(ErrorCode::kBusy, "{}", refusal->error);
    }
  }
  /// Waits until the card says that it is in `state`; true when it did.
  [[nodiscard]] bool wait_for(card_link::CardState state, std::uint32_t timeout_ms = kAnswerMs);
  [[nodiscard]] Result<card_link::Status> status();
  [[nodiscard]] Result<card_link::CommandDone> command(const card_link::Command& command);

  std::vector<card_link::StateChange> states;  // as they came

 protected:
  explicit CardCaller(card_link::PacketSocket socket) : socket_(std::move(socket)) {}

 private:
  card_link::PacketSocket socket_;
  base::SystemClock clock_;
};

class CardDaemon {
 public:
  /// Joins. An error is the card's refusal.
  [[nodiscard]] static Result<std::unique_ptr<CardDaemon>> join(const std::filesystem::path& socket,
                                                                const card_link::RegionShape& shape = {});
  /// The same, again and again while the card says that it is taken or has too much to do.
  [[nodiscard]] static Result<std::unique_ptr<CardDaemon>> join_soon(
      const std::filesystem::path& socket, const card_link::RegionShape& shape = {});

  [[nodiscard]] const card_link::Welcome& welcome() const { return welcome_; }
  [[nodiscard]] CardCaller& caller() { return *caller_; }
  [[nodiscard]] card_link::DaemonPort& port(std::uint32_t port = 0) { return *ports_[port]; }
  [[nodiscard]] card_link::Region& region() { return *region_; }

  /// Asks for the model and waits for the answer, whose `error` is the caller's to look at.
  [[nodiscard]] Result<card_link::Loaded> load(std::uint64_t load_id, const std::filesystem::path& folder,
                                               const base::Digest& digest,
                                               std::vector<std::uint64_t> keep = {});

  /// Golden vectors from `first` on, round and round, into the slot; then it is the card's.
  void submit(std::uint32_t slot, std::uint64_t load_id, const kan::Bundle& bundle,
              const card_link::Loaded& loaded, std::uint32_t events, std::uint32_t first = 0,
              std::uint32_t port = 0);
  /// The next slot of the port that comes back.
  [[nodiscard]] Result<card_link::Completion> wait(std::uint32_t timeout_ms = CardCaller::kAnswerMs,
                                                   std::uint32_t port = 0);
  /// Whether the slot holds the golden outputs of what submit() put in.
  [[nodiscard]] Result<void> check(std::uint32_t slot, const kan::Bundle& bundle,
                                   const card_link::Loaded& loaded, std::uint32_t events,
                                   std::uint32_t first = 0, std::uint32_t port = 0);
  /// submit(), wait(), check(): how the slot came back, an error when its scores are wrong.
  [[nodiscard]] Result<card_link::SlotStatus> decide(std::uint64_t load_id, const kan::Bundle& bundle,
                                                     const card_link::Loaded& loaded, std::uint32_t events,
                                                     std::uint32_t slot = 0);
  /// decide() again and again until the slot comes back done.
  [[nodiscard]] Result<void> decide_soon(std::uint64_t load_id, const kan::Bundle& bundle,
                                         const card_link::Loaded& loaded, std::uint32_t events);

 private:
  CardDaemon() = default;
  std::shared_ptr<card_link::Region> region_;
  std::vector<card_link::Doorbell> bells_;  // one a port
  std::vector<std::unique_ptr<card_link::DaemonPort>> ports_;
  std::unique_ptr<CardCaller> caller_;
  card_link::Welcome welcome_;
  base::SystemClock clock_;
};

}  // namespace kantrig::test
