// Loading of card.hpp: a model onto the card, by nothing, tables or another xclbin.
#include <algorithm>
#include <utility>

#include "apps/kantrig-card/card.hpp"

namespace kantrig::card_host {

using card_link::Load;
using card_link::Loaded;
using card_link::LoadKind;

namespace {

/// Whether the device did it, not what it was asked to load.
bool is_of_device(FaultKind kind) noexcept {
  return kind == FaultKind::kTimeout || kind == FaultKind::kIo || kind == FaultKind::kLost ||
         kind == FaultKind::kFirewall;
}

}  // namespace

Result<Loaded> Card::load(const Load& load, std::uint64_t received_ns) {
  const auto bundle = shelf_->get(load.folder, load.bundle_digest);
  if (!bundle) return tl::unexpected(bundle.error());
  const CardBundle& card = **bundle;
  const Models::Plan plan = models_.plan(card, load.keep);
  LoadResult programmed = std::uint64_t{0};
  if (plan.kind == LoadKind::kTables) programmed = make_room_and_write(*bundle, plan);
  if (plan.kind == LoadKind::kBitstream) programmed = swap_hardware(*bundle);
  if (!programmed) return tl::unexpected(programmed.error().to_error());
  if (plan.kind != LoadKind::kBitstream) {  // which has proved it itself
    if (auto proved = prove(card, plan.bank); !proved) {
      if (proved.error().kind != FaultKind::kGolden || !others_prove()) raise(proved.error());
      publish();
      return tl::unexpected(proved.error().to_error());
    }
  }
  const std::uint64_t done_ns = clock_.now_ns();
  if (plan.kind == LoadKind::kTables) models_.fill_bank(plan.bank, *bundle);
  models_.add({load.load_id, *bundle, plan.bank}, load.keep);
  publish();
  const auto kind = static_cast<std::size_t>(plan.kind);
  SupervisorFigures& figures = figures_.supervisor;
  figures.swaps[kind].add(1);
  figures.swap_times[kind].observe_ns(done_ns - received_ns);
  figures.last_program_s[kind].set(static_cast<double>(*programmed) * 1e-9);
  figures.last_golden_s[kind].set(static_cast<double>(golden_ns_) * 1e-9);
  return Loaded{.load_id = load.load_id,
                .error = {},
                .kind = plan.kind,
                .duration_ns = done_ns - received_ns,
                .program_ns = *programmed,
                .golden_events = card.bundle.golden.count,
                .input = card.image.input,
                .output = card.image.output};
}

/// Models that were ready still reproduce their vectors: it is the new one that is wrong, not the card.
bool Card::others_prove() {
  bool any = false;
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    if (!models_.banks()[bank]) continue;
    if (!prove(*models_.banks()[bank], bank)) return false;
    any = true;
  }
  return any;
}

Card::LoadResult Card::make_room_and_write(const std::shared_ptr<const CardBundle>& bundle,
                                           const Models::Plan& plan) {
  models_.empty_bank(plan.bank);
  changed_();
  if (auto ok = drain(); !ok) return tl::unexpected<Fault>(ok.error());
  const CallWatch::Call call(watch_, "writing tables", options_.load_limit_ns);
  const std::uint64_t begin_ns = clock_.now_ns();
  if (auto ok = prover_->write_tables(*bundle, plan.bank); !ok) {
    raise(ok.error());
    return tl::unexpected<Fault>(ok.error());
  }
  return clock_.now_ns() - begin_ns;
}

DeviceResult<Image> Card::read_image(const CardBundle& bundle) const {
  const auto bytes = read_xclbin(bundle);
  if (!bytes) return fault(FaultKind::kRefused, "{}", bytes.error().message);
  auto image = Image::parse(*bytes);
  if (!image) return image;
  if (auto ok = check_image(image->facts(), bundle.image); !ok)
    return fault(FaultKind::kRefused, "bundle {}: {}", bundle.bundle.full_name(), ok.error().message);
  return image;
}

Card::LoadResult Card::swap_hardware(const std::shared_ptr<const CardBundle>& bundle) {
  const auto image = read_image(*bundle);  // before the card is touched
  if (!image) return tl::unexpected<Fault>(image.error());
  const Models before = models_;
  models_.clear();
  changed_();
  station_.reset();
  if (link_) {  // its slots come back as not loaded meanwhile
    auto idle = Station::create(link_, nullptr);
    if (idle) station_ = std::move(*idle);
  }
  if (auto ok = drain(); !ok) {
    models_ = before;  // for the recovery, which the fault that waits brings about
    raise(ok.error());
    return tl::unexpected<Fault>(ok.error());
  }
  close_fabric();
  auto programmed = load_hardware(bundle, *image);
  if (programmed) {
    if (auto ok = make_station(); !ok) programmed = tl::unexpected<Fault>(ok.error());
  }
  if (!programmed) {
    put_back(before);
    // With nothing to put back, nothing has shown that the device is well: a unit may hang from before.
    if (!before.hardware() && is_of_device(programmed.error().kind)) raise(programmed.error());
  }
  return programmed;
}

/// Loads the xclbin, opens its units, fills an overlay's first bank and proves it. Precondition: no fabric.
Card::LoadResult Card::load_hardware(const std::shared_ptr<const CardBundle>& bundle, const Image& image) {
  std::uint64_t program_ns = 0;
  {
    const CallWatch::Call call(watch_, "loading an xclbin", options_.load_limit_ns);
    const std::uint64_t begin_ns = clock_.now_ns();
    if (auto ok = device_->load(image); !ok) return tl::unexpected<Fault>(ok.error());
    program_ns = clock_.now_ns() - begin_ns;
  }
  {
    const CallWatch::Call call(watch_, "opening compute units", options_.call_limit_ns);
    auto fabric = Fabric::open(*device_, image, bundle->image);
    if (!fabric) return tl::unexpected<Fault>(fabric.error());
    auto prover = Prover::create(*fabric, bundle->image, clock_, {options_.deadline_ns});
    if (!prover) return tl::unexpected<Fault>(prover.error());
    fabric_ = std::move(*fabric);
    prover_ = std::move(*prover);
    image_ = image;
    if (bundle->image.overlay) {
      if (auto ok = prover_->write_tables(*bundle, 0); !ok) return tl::unexpected<Fault>(ok.error());
    }
  }
  if (auto ok = prove(*bundle, 0); !ok) return tl::unexpected<Fault>(ok.error());
  models_.set_hardware(bundle);
  return program_ns;
}

/// After a load that failed: what was there before. When that fails too, it is a matter for the recovery.
void Card::put_back(const Models& before) {
  close_fabric();
  models_.clear();
  auto done = load_all(before);
  if (done) done = make_station();
  if (!done) {
    models_ = before;
    raise(done.error());
    return;
  }
  publish();
}

/// Precondition: no fabric.
DeviceResult<void> Card::load_all(const Models& models) {
  if (!models.hardware()) return {};
  const auto image = read_image(*models.hardware());
  if (!image) return tl::unexpected<Fault>(image.error());
  if (auto ok = load_hardware(models.hardware(), *image); !ok) return tl::unexpected<Fault>(ok.error());
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    const auto& bundle = models.banks()[bank];
    if (!bundle || (bank == 0 && bundle == models.hardware())) continue;  // which is in it already
    const CallWatch::Call call(watch_, "writing tables", options_.load_limit_ns);
    if (auto ok = prover_->write_tables(*bundle, bank); !ok) return ok;
    if (auto ok = prover_->replay(*bundle, bank); !ok) return tl::unexpected<Fault>(ok.error());
  }
  models_ = models;
  return {};
}

}  // namespace kantrig::card_host
