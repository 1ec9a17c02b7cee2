// CardModels: what the card should have, what it has, and where events of it may go.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/card/card_model.hpp"
#include "card_link/messages.hpp"
#include "pipeline/conditions.hpp"

namespace kantrig::control {

/// Every order to load has an id of its own, for ever: a slot of an id that is not loaded is never decided by
/// another model.
///
/// Threading: owned by the control thread.
class CardModels {
 public:
  using Pointer = std::shared_ptr<const pipeline::LoadedModel>;

  explicit CardModels(std::vector<std::uint32_t> shards) : shards_(std::move(shards)) {}
  ~CardModels() { forget(); }

  /// False when that is what was wanted already.
  bool want(const Pointer& active, const Pointer& previous);
  /// The order to give now, if any: the active model, when it is neither ready nor on its way.
  [[nodiscard]] std::optional<card_link::Load> next_load(std::uint64_t now_ns);
  [[nodiscard]] bool loading() const noexcept { return loading_ != 0; }
  /// An answer. An error is kept with its model, which is tried again after a pause.
  void loaded(const card_link::Loaded& answer, std::uint64_t now_ns);
  /// What the card is ready with now.
  void set_ready(const std::vector<std::uint64_t>& load_ids);
  /// Lets events of what is ready go to the seats, where that has not happened yet. True when something was
  /// placed.
  bool place(std::uint64_t now_ns);
  /// The link is gone: nothing is loaded, nothing placed.
  void forget();
  /// May be tried again at once: the card has changed.
  void retry_now() noexcept;

  /// Why the card does not have the active model; empty when it has, or is about to.
  [[nodiscard]] std::string failure() const;
  [[nodiscard]] bool active_is_placed() const noexcept;

 private:
  struct Entry {
    Pointer model;
    const backend::CardModel* card = nullptr;
    std::uint64_t load_id = 0;  // of the last order; 0: none on this link
    bool ready = false;
    backend::CardPlace place{};
    std::vector<bool> placed;  // by seat
    std::string failure{};
    std::uint64_t retry_at_ns = 0;
    std::uint64_t retry_wait_ns = 0;
  };
  [[nodiscard]] Entry take_entry(const Pointer& model);
  void clear(Entry& entry);
  void failed(Entry& entry, const std::string& why, std::uint64_t now_ns);
  [[nodiscard]] Entry* find(std::uint64_t load_id);

  std::vector<std::uint32_t> shards_;
  std::vector<Entry> entries_;  // the active one first
  std::uint64_t loading_ = 0;   // load id on its way
  std::uint64_t next_load_id_ = 1;
};

}  // namespace kantrig::control
