#include "backend/card/card_model.hpp"

#include <algorithm>
#include <utility>

#include "backend/card/card_workspace.hpp"

namespace kantrig::backend {

CardModel::CardModel(kan::Evaluator evaluator, std::vector<CardSeat*> seats, const kan::GoldenVectors& golden)
    : PreparedModel(std::move(evaluator)),
      seats_(std::move(seats)),
      load_ids_(std::make_unique<std::atomic<std::uint64_t>[]>(seats_.size())),
      golden_(kan::golden_nodes(golden, this->evaluator().model(), SeatModel::kGoldenEventsMax)) {}

CardModel::~CardModel() {
  for (std::uint32_t shard = 0; shard < seats_.size(); ++shard) clear_place(shard);
}

std::unique_ptr<Workspace> CardModel::make_workspace(std::uint32_t events_max,
                                                     std::optional<std::uint32_t> shard) const {
  const bool seated = shard && *shard < seats_.size();
  return std::make_unique<CardWorkspace>(evaluator(), events_max, seated ? seats_[*shard] : nullptr,
                                         seated ? &load_ids_[*shard] : nullptr);
}

Result<void> CardModel::check_place(const CardPlace& place) const {
  const kan::Model& model = evaluator().model();
  if (place.load_id == 0) return fail(ErrorCode::kInvalid, "card: load id 0, expected another");
  if (golden_.count == 0)
    return fail(ErrorCode::kInvalid, "card: the bundle has no golden vectors, expected at least one");
  if (auto ok = kan::check(place.input); !ok) return tl::unexpected(ok.error().within("card: input"));
  if (auto ok = kan::check(place.output); !ok) return tl::unexpected(ok.error().within("card: output"));
  if (place.input.fields.size() != model.input_count() || place.output.fields.size() != model.node_count()) {
    return fail(ErrorCode::kInvalid, "card: takes {} codes and gives {} scores, expected {} and {}",
                place.input.fields.size(), place.output.fields.size(), model.input_count(),
                model.node_count());
  }
  for (std::uint32_t j = 0; j < model.input_count(); ++j) {
    if (place.input.fields[j].width < model.inputs[j].bits)
      return fail(ErrorCode::kInvalid, "card: code {} has {} bits, expected at least {}", j,
                  place.input.fields[j].width, model.inputs[j].bits);
  }
  return {};
}

Result<void> CardModel::set_place(std::uint32_t shard, CardPlace place) const {
  if (shard >= seats_.size() || seats_[shard] == nullptr)
    return fail(ErrorCode::kInvalid, "card: shard {} has no seat", shard);
  if (auto ok = check_place(place); !ok) return ok;
  std::atomic<std::uint64_t>& load_id = load_ids_[shard];
  if (load_id.load(std::memory_order_relaxed) == place.load_id) return {};
  clear_place(shard);
  auto seat_model =
      std::make_unique<SeatModel>(place.load_id, std::move(place.input), std::move(place.output), golden_);
  if (!seats_[shard]->place(std::move(seat_model)))
    return fail(ErrorCode::kBusy, "card: shard {} has orders that it has not read", shard);
  load_id.store(place.load_id, std::memory_order_release);  // pairs with the load in CardWorkspace
  return {};
}

void CardModel::clear_place(std::uint32_t shard) const noexcept {
  if (shard >= seats_.size() || seats_[shard] == nullptr) return;
  // Relaxed: what an event finds there, the seat looks up by itself.
  const std::uint64_t load_id = load_ids_[shard].exchange(0, std::memory_order_relaxed);
  if (load_id != 0) seats_[shard]->drop(load_id);
}

}  // namespace kantrig::backend
