// What the daemon must answer: the reference evaluator on a pool of events, and the menu on its outputs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "control/menus.hpp"
#include "kan/bundle.hpp"
#include "menu/menu.hpp"
#include "wire/messages.hpp"

namespace kantrig::test {

/// Rows that batches are cut from: real jets, of which a few carry NaN, infinities or codes that do not
/// exist.
struct EventPool {
  static constexpr std::uint32_t kRows = 4'096;       // a batch may begin at any of these
  static constexpr std::uint32_t kEventsMax = 1'024;  // of a batch; so many rows come once more at the end
  static constexpr std::uint32_t kRowsStored = kRows + kEventsMax;

  /// Fails when the sample is missing or a feature of `model` needs more than a byte.
  [[nodiscard]] static Result<EventPool> make(const kan::Model& model, std::uint64_t seed);
  /// Rows of random codes for a model of any features, spoiled as the jets are.
  [[nodiscard]] static Result<EventPool> random(const kan::Model& model, std::uint64_t seed);
  /// Rows [first, first + events) as they travel.
  [[nodiscard]] std::span<const std::byte> rows(wire::Encoding encoding, std::uint32_t first,
                                                std::uint32_t events) const;

  std::uint32_t feature_count = 0;
  std::vector<float> floats;
  std::vector<std::uint8_t> codes8;
  std::vector<std::uint16_t> codes16;

 private:
  /// From kRows rows of floats in the pool.
  [[nodiscard]] static Result<EventPool> finished(EventPool pool, const kan::Model& model,
                                                  std::uint64_t seed);
};

/// One batch cut from the pool.
struct Cut {
  wire::Encoding encoding = wire::Encoding::kFloat32;
  std::uint32_t first_row = 0;
  std::uint32_t event_count = 0;
  std::uint64_t first_event_id = 0;
  bool want_lines = false;
  bool want_classes = false;
  bool want_scores = false;
};

using DigestBytes = std::array<std::uint8_t, 32>;
[[nodiscard]] DigestBytes digest_of(std::span<const std::byte> bytes);

/// Threading: immutable once filled; read by all lanes.
class ReferenceDecisions {
 public:
  explicit ReferenceDecisions(EventPool pool) : pool_(std::move(pool)) {}

  [[nodiscard]] const EventPool& pool() const { return pool_; }
  /// Evaluates the whole pool, event by event.
  void add_model(const kan::Bundle& bundle);
  /// Compiles the menu for every model added so far.
  [[nodiscard]] Result<void> add_menu(const std::string& text);

  /// Outputs of the pool's rows under one model; malformed rows count nothing.
  struct Outputs {
    std::vector<std::vector<std::int16_t>> columns;  // one per output, padded by 64
    std::vector<std::int16_t> rows;                  // the same, row by row
    std::vector<std::uint8_t> classes;               // padded by 64
    std::vector<bool> malformed;
  };
  struct Model {
    std::uint32_t output_count = 0;
    Outputs of_floats;
    Outputs of_codes;
  };
  [[nodiscard]] const Model* model(const DigestBytes& digest) const;
  [[nodiscard]] const menu::Menu* menu(const DigestBytes& menu_digest, const DigestBytes& model_digest) const;

 private:
  [[nodiscard]] Outputs evaluate(const kan::Model& model, bool from_floats) const;

  EventPool pool_;
  std::map<DigestBytes, kan::Bundle> bundles_;
  std::map<DigestBytes, Model> models_;
  std::map<std::pair<DigestBytes, DigestBytes>, std::shared_ptr<const menu::Menu>>
      menus_;  // by menu and model
};

/// Holds answers to the reference, bit for bit. One per lane.
class AnswerCheck {
 public:
  explicit AnswerCheck(const ReferenceDecisions& reference) : reference_(reference) {}
  /// What is wrong with a decided batch; nothing when every bit is right.
  [[nodiscard]] std::optional<std::string> fault(const Cut& cut, const wire::DecisionView& decision);

 private:
  [[nodiscard]] std::optional<std::string> fault_of_outputs(const Cut& cut,
                                                            const wire::DecisionView& decision,
                                                            const ReferenceDecisions::Model& model) const;
  const ReferenceDecisions& reference_;
  std::map<const menu::Menu*, menu::MenuWorkspace> spaces_;
  std::vector<std::uint64_t> malformed_;
  std::vector<std::uint64_t> line_bits_;
};

}  // namespace kantrig::test
