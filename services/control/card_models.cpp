#include "control/card_models.hpp"

#include <algorithm>
#include <utility>

namespace kantrig::control {
namespace {

constexpr std::uint64_t kRetryMinNs = 1'000'000'000;
constexpr std::uint64_t kRetryMaxNs = 60'000'000'000;

}  // namespace

bool CardModels::want(const Pointer& active, const Pointer& previous) {
  std::vector<Pointer> wanted;
  for (const Pointer& model : {active, previous}) {
    const bool of_card = model && dynamic_cast<const backend::CardModel*>(model->prepared.get()) != nullptr;
    if (of_card && std::ranges::find(wanted, model) == wanted.end()) wanted.push_back(model);
  }
  if (std::ranges::equal(wanted, entries_, {}, {}, &Entry::model)) return false;
  std::vector<Entry> next;
  for (const Pointer& model : wanted) next.push_back(take_entry(model));
  for (Entry& entry : entries_) clear(entry);  // what is wanted no more
  entries_ = std::move(next);
  return true;
}

/// The entry of `model` as it stands, or a new one.
CardModels::Entry CardModels::take_entry(const Pointer& model) {
  const auto known = std::ranges::find(entries_, model, &Entry::model);
  if (known != entries_.end()) {
    Entry entry = std::move(*known);
    entries_.erase(known);
    return entry;
  }
  return {.model = model,
          .card = dynamic_cast<const backend::CardModel*>(model->prepared.get()),
          .placed = std::vector<bool>(shards_.size())};
}

std::optional<card_link::Load> CardModels::next_load(std::uint64_t now_ns) {
  if (loading() || entries_.empty()) return std::nullopt;
  Entry& active = entries_.front();
  if (active.ready || now_ns < active.retry_at_ns) return std::nullopt;
  active.load_id = next_load_id_++;
  loading_ = active.load_id;
  card_link::Load load;
  load.load_id = active.load_id;
  load.folder = active.model->folder.string();
  load.bundle_digest = active.model->bundle.digest;
  for (const Entry& entry : entries_) {
    if (entry.ready) load.keep.push_back(entry.load_id);
  }
  return load;
}

CardModels::Entry* CardModels::find(std::uint64_t load_id) {
  const auto found = std::ranges::find(entries_, load_id, &Entry::load_id);
  return load_id == 0 || found == entries_.end() ? nullptr : &*found;
}

void CardModels::loaded(const card_link::Loaded& answer, std::uint64_t now_ns) {
  if (answer.load_id != loading_) return;  // an answer that nobody waits for
  loading_ = 0;
  Entry* const entry = find(answer.load_id);
  if (entry == nullptr) return;  // wanted no more meanwhile
  if (!answer.error.empty()) return failed(*entry, answer.error, now_ns);
  entry->failure.clear();
  entry->retry_wait_ns = 0;
  entry->ready = true;
  entry->place = {answer.load_id, answer.input, answer.output};
}

void CardModels::failed(Entry& entry, const std::string& why, std::uint64_t now_ns) {
  clear(entry);
  entry.failure = why;
  entry.load_id = 0;
  entry.retry_wait_ns = std::clamp(entry.retry_wait_ns * 2, kRetryMinNs, kRetryMaxNs);
  entry.retry_at_ns = now_ns + entry.retry_wait_ns;
}

void CardModels::set_ready(const std::vector<std::uint64_t>& load_ids) {
  for (Entry& entry : entries_) {
    const bool has = std::ranges::find(load_ids, entry.load_id) != load_ids.end();
    const bool known = entry.load_id != 0 && entry.place.load_id == entry.load_id;
    if (has && known) entry.ready = true;  // back again
    if (!has && entry.ready) clear(entry);
  }
}

/// No event goes there any more. The place is kept: the card may come back with it.
void CardModels::clear(Entry& entry) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (entry.placed[i]) entry.card->clear_place(shards_[i]);
    entry.placed[i] = false;
  }
  entry.ready = false;
}

bool CardModels::place(std::uint64_t now_ns) {
  bool any = false;
  for (Entry& entry : entries_) {
    for (std::size_t i = 0; i < shards_.size() && entry.ready; ++i) {
      if (entry.placed[i]) continue;
      const auto placed = entry.card->set_place(shards_[i], entry.place);
      entry.placed[i] = placed.has_value();
      any = any || placed;
      // Busy: the next look tries again. Else the card has something else than what was wanted.
      if (!placed && placed.error().code != ErrorCode::kBusy) failed(entry, placed.error().message, now_ns);
    }
  }
  return any;
}

void CardModels::forget() {
  for (Entry& entry : entries_) {
    clear(entry);
    entry.load_id = 0;
    entry.place = {};
  }
  loading_ = 0;
  retry_now();
}

void CardModels::retry_now() noexcept {
  for (Entry& entry : entries_) {
    entry.retry_at_ns = 0;
    entry.retry_wait_ns = 0;
  }
}

std::string CardModels::failure() const {
  return entries_.empty() ? std::string() : entries_.front().failure;
}

bool CardModels::active_is_placed() const noexcept {
  if (entries_.empty() || !entries_.front().ready) return false;
  return std::ranges::all_of(entries_.front().placed, [](bool placed) { return placed; });
}

}  // namespace kantrig::control
