// What evaluates batches: one interface, and an implementation a kind. Every kind gives the same bits; only
// who computes them differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kan/bundle.hpp"
#include "kan/evaluator.hpp"
#include "wire/messages.hpp"

namespace kantrig::backend {

/// What a batch carries, as it was received: rows of `encoding`, checked to agree with the model and the
/// count.
struct Payload {
  wire::Encoding encoding = wire::Encoding::kFloat32;
  std::span<const std::byte> rows;
  std::uint32_t event_count = 0;
};

/// Quantises a batch on the host, as every kind does: codes and malformed events, left in `workspace`.
/// Returns how many events are malformed.
std::uint32_t load_codes(const kan::Evaluator& evaluator, const Payload& payload, kan::Workspace& workspace,
                         kan::ClampCounts clamped) noexcept;

/// One thread's memory to run one model on batches of up to events_max events.
///
/// Threading:  owned by one thread at a time.
/// Allocation: when it is made only.
class Workspace {
 public:
  virtual ~Workspace() = default;

  /// Codes, outputs and classes of every event. Returns how many events are malformed. Precondition: the
  /// payload has the model's features and fits; no FLOAT32 for a model that takes codes only.
  virtual std::uint32_t evaluate(const Payload& payload, kan::ClampCounts clamped) noexcept = 0;

  /// Begins evaluate() where the work may be done elsewhere meanwhile: the codes are loaded now, and the
  /// batch is either evaluated at once or left to a card. `backlog` batches are known to wait behind this
  /// one. Until done() says so, no result may be read and no other batch begun; the payload need not outlive
  /// the call. Returns how many events are malformed.
  virtual std::uint32_t begin(const Payload& payload, kan::ClampCounts clamped,
                              [[maybe_unused]] std::uint32_t backlog) noexcept {
    return evaluate(payload, clamped);
  }
  /// True when the results of what was begun are there.
  [[nodiscard]] virtual bool done() noexcept { return true; }
  /// Decides here and now, on the CPU, what begin() left to a card. No effect when it is done.
  virtual void finish_now() noexcept {}

  // Of the batch that is done:
  /// Output `k` of every event, readable up to the next multiple of 64 events; the place never changes.
  [[nodiscard]] virtual const std::int16_t* outputs(std::uint32_t k) const noexcept = 0;
  /// The class of every event, readable up to the next multiple of 64 events.
  [[nodiscard]] virtual const std::uint8_t* classes() const noexcept = 0;
  /// Bit i % 64 of word i / 64 says that event i has no valid codes.
  [[nodiscard]] virtual std::span<const std::uint64_t> malformed() const noexcept = 0;
  /// Who computed it.
  [[nodiscard]] virtual wire::Path path() const noexcept = 0;
};

/// A model made ready for one kind of backend. Immutable: shared by threads, each with its own Workspace.
class PreparedModel {
 public:
  explicit PreparedModel(kan::Evaluator evaluator) : evaluator_(std::move(evaluator)) {}
  virtual ~PreparedModel() = default;
  PreparedModel(const PreparedModel&) = delete;
  PreparedModel& operator=(const PreparedModel&) = delete;

  /// The workspace must not outlive the model. `shard` is the one that will own it, so that its batches can
  /// take that shard's seat at a card; without one everything is evaluated on the calling thread.
  [[nodiscard]] virtual std::unique_ptr<Workspace> make_workspace(
      std::uint32_t events_max, std::optional<std::uint32_t> shard = std::nullopt) const = 0;
  /// Who computes, unless it fails: then the CPU decides, with the same bits.
  [[nodiscard]] virtual wire::Path path() const noexcept = 0;
  /// "cpu", "rtl_sim", "card".
  [[nodiscard]] virtual std::string_view backend() const noexcept = 0;
  /// The model on the CPU: the input stage of every kind.
  [[nodiscard]] const kan::Evaluator& evaluator() const noexcept { return evaluator_; }

 private:
  kan::Evaluator evaluator_;
};

class CardSeat;

enum class Kind : std::uint8_t { kCpu, kRtlSim, kCard };

struct Options {
  Kind kind = Kind::kCpu;
  std::string kernel_set = "auto";  // of the CPU path and the input stage
  std::filesystem::path
      rtl_sim_library{};           // a shared object of kanc simulate, or a folder of <model digest>.so
  std::vector<CardSeat*> seats{};  // of kCard: one a shard, in the order of shards; they outlive the models
};

/// Makes the model of `bundle` ready for a backend. Not yet proved: see replay_golden(). The error says what
/// is missing and how to make it.
[[nodiscard]] Result<std::shared_ptr<const PreparedModel>> prepare(const kan::Bundle& bundle,
                                                                   const Options& options);

/// Replays the golden vectors through a workspace of `model`, which is the way that events take. The error
/// names the first vector and output that differ.
[[nodiscard]] Result<void> replay_golden(const kan::Bundle& bundle, const PreparedModel& model);

}  // namespace kantrig::backend
