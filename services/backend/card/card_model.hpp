// The card backend: batches go to the shard's seat at a card while the card is ready with this very model,
// and are decided on the calling thread, with the same bits, whenever it is not.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/backend.hpp"
#include "backend/card/card_seat.hpp"
#include "kan/bundle.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::backend {

/// Where and how the card takes events of a model. Immutable.
struct CardPlace {
  std::uint64_t load_id = 0;
  kan::RecordLayout input;
  kan::RecordLayout output;
};

class CardModel final : public PreparedModel {
 public:
  /// `seats`: one a shard, in the order of shards; they outlive the model.
  CardModel(kan::Evaluator evaluator, std::vector<CardSeat*> seats, const kan::GoldenVectors& golden);
  ~CardModel() override;

  [[nodiscard]] std::unique_ptr<Workspace> make_workspace(
      std::uint32_t events_max, std::optional<std::uint32_t> shard = std::nullopt) const override;
  /// Either may decide; each batch says which did.
  [[nodiscard]] wire::Path path() const noexcept override { return wire::Path::kCpu; }
  [[nodiscard]] std::string_view backend() const noexcept override { return "card"; }

  // Control thread: the card of `shard` is ready with this model, or no longer. Its events go there once the
  // seat's golden vectors have come back right. Refused when the layout does not fit the model (kInvalid),
  // and when the shard has too many orders to read (kBusy): then say it again later.
  [[nodiscard]] Result<void> set_place(std::uint32_t shard, CardPlace place) const;
  void clear_place(std::uint32_t shard) const noexcept;

 private:
  [[nodiscard]] Result<void> check_place(const CardPlace& place) const;

  std::vector<CardSeat*> seats_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> load_ids_;  // what shards read: one a seat; 0: no place
  kan::GoldenVectors golden_;                               // as many as a seat sends
};

}  // namespace kantrig::backend
