// Evaluator: a model made ready for one kernel set. Workspace: what one thread needs to run it on a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "kan/model.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::kan {

class Evaluator;

/// One thread's codes, sums and results for batches of up to events_max events of one evaluator.
///
/// Threading:  owned by one thread.
/// Allocation: in the constructor only.
class Workspace {
 public:
  Workspace(const Evaluator& evaluator, std::uint32_t events_max);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  [[nodiscard]] std::uint32_t events_max() const noexcept;
  /// Output `k` of every event of the last evaluate(), readable up to the next multiple of 64 events.
  [[nodiscard]] const std::int16_t* outputs(std::uint32_t k) const noexcept;
  /// The class of every event, readable up to the next multiple of 64 events.
  [[nodiscard]] const std::uint8_t* classes() const noexcept;
  /// The same places, for whoever evaluates the codes elsewhere and brings the results here. Written up to
  /// the next multiple of 64 events at most.
  [[nodiscard]] std::int16_t* output_column(std::uint32_t k) noexcept;
  [[nodiscard]] std::uint8_t* class_column() noexcept;
  /// Bit i % 64 of word i / 64 says that event i of the last load_*() has no valid codes. Bits past the
  /// events are 0.
  [[nodiscard]] std::span<const std::uint64_t> malformed() const noexcept;

 private:
  friend class Evaluator;
  struct State;
  std::unique_ptr<State> state_;
};

/// `events` rounded up to where columns are readable and written.
[[nodiscard]] constexpr std::size_t padded_events(std::size_t events) noexcept {
  constexpr std::size_t kTile = 64;
  return events == 0 ? kTile : (events + kTile - 1) / kTile * kTile;
}

/// The nodes of the last layer, node by node: that of node k and event i at nodes[k * stride + i]. Readable
/// up to padded_events(), where any value may stand.
struct NodeColumns {
  const std::int16_t* nodes = nullptr;
  std::size_t stride = 0;
};

/// How often each feature of a batch left its range and was clamped; one entry per input.
using ClampCounts = std::span<std::uint32_t>;

/// Runs a model bit for bit as reference.hpp defines it. Immutable: shared by threads, each with its own
/// Workspace.
class Evaluator {
 public:
  /// Lays the tables out for `kernel_set` ("scalar", "avx2", "avx512", or "auto" for the best this CPU runs).
  /// Fails when the model does not pass check() or the set is unknown or not supported by this CPU.
  [[nodiscard]] static Result<Evaluator> create(const Model& model, std::string_view kernel_set);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  [[nodiscard]] std::string_view kernel_set() const noexcept;
  [[nodiscard]] const Model& model() const noexcept;

  /// Codes from `events` rows of little-endian float32 in physical units (no alignment asked). Adds to
  /// `clamped` where it is not empty. Precondition: rows.size() == events * inputs * 4, events <= events_max,
  /// !codes_only. Returns how many events are malformed (a NaN); their codes are valid but meaningless.
  std::uint32_t load_float32(std::span<const std::byte> rows, std::uint32_t events, Workspace& workspace,
                             ClampCounts clamped) const noexcept;
  /// Codes as sent, one byte each. An event with a code above 2^bits - 1 is malformed.
  std::uint32_t load_code8(std::span<const std::byte> rows, std::uint32_t events,
                           Workspace& workspace) const noexcept;
  /// Codes as sent, two bytes each, little endian.
  std::uint32_t load_code16(std::span<const std::byte> rows, std::uint32_t events,
                            Workspace& workspace) const noexcept;

  /// The codes of `rows.size() / inputs` events from `first` on, as loaded last, row by row: for whoever
  /// evaluates them elsewhere. Those of malformed events are valid but meaningless. Precondition: the events
  /// were loaded.
  void copy_codes(const Workspace& workspace, std::uint32_t first,
                  std::span<std::uint16_t> rows) const noexcept;
  /// All of them as records, as copy_codes() and pack_records() would write them, but for what lies behind
  /// the last record. Precondition: check(layout); a field an input, each at least as wide as its code;
  /// records.size() >= events x record_bytes().
  void pack_codes(const Workspace& workspace, const RecordLayout& layout,
                  std::span<std::byte> records) const noexcept;
  /// Outputs and classes of the events loaded last.
  void evaluate(Workspace& workspace) const noexcept;
  /// The same for a model with an output stage whose last layer was evaluated elsewhere. Preconditions: there
  /// is a stage; what stands there for an event is what its node can give.
  void score_nodes(NodeColumns nodes, Workspace& workspace) const noexcept;

 private:
  friend class Workspace;
  struct State;
  explicit Evaluator(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace kantrig::kan
