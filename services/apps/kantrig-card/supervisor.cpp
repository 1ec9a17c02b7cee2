#include "apps/kantrig-card/supervisor.hpp"

#include <algorithm>

#include "apps/kantrig-card/sensors.hpp"

namespace kantrig::card_host {
namespace {

using card_link::CardState;
using card_link::CommandDone;
using card_link::Loaded;
using card_link::Verb;

constexpr std::uint32_t kSleepMs = 50;
constexpr std::uint64_t kSensorsNs = 5'000'000'000;

/// Whether a reset may cure it: what the device did, not what it was asked.
bool is_cured_by_reset(FaultKind kind) noexcept {
  switch (kind) {
    case FaultKind::kTimeout:
    case FaultKind::kIo:
    case FaultKind::kLost:
    case FaultKind::kFirewall:
    case FaultKind::kGolden:
      return true;
    case FaultKind::kBusy:
    case FaultKind::kMemory:
    case FaultKind::kRefused:
    case FaultKind::kNotSetUp:
      return false;
  }
  return false;
}

/// One line a load id, and one of load id 0 for what lies in a bank and nobody asks for.
std::vector<card_link::ModelStatus> model_states(const Models& models) {
  std::vector<card_link::ModelStatus> states;
  for (std::uint32_t bank = 0; bank < kBanks; ++bank) {
    const auto& bundle = models.banks()[bank];
    if (!bundle) continue;
    const auto add = [&](std::uint64_t load_id) {
      states.push_back(
          {load_id, bundle->bundle.full_name(), bundle->bundle.digest.hex(), bank, bundle->image.overlay});
    };
    const std::size_t before = states.size();
    for (const Models::Entry& entry : models.entries()) {
      if (entry.bank == bank) add(entry.load_id);
    }
    if (states.size() == before) add(0);
  }
  return states;
}

}  // namespace

Supervisor::Supervisor(Card::Parts parts, CardOptions options, RetryOptions retry, CompletionMode mode,
                       SupervisorEvents events)
    : clock_(parts.clock),
      log_(parts.log),
      runner_(parts.runner),
      figures_(parts.figures),
      retry_(retry),
      mode_(mode),
      events_(std::move(events)),
      card_(parts, options, [this] { tell_changed(); }) {
  snapshot_.device = card_.name();
  snapshot_.platform = options.platform;
  snapshot_.state = {CardState::kAbsent, "not opened yet", {}};
}

Supervisor::~Supervisor() = default;

bool Supervisor::ask(Request request, std::size_t requests_max) {
  {
    const std::scoped_lock lock(requests_mutex_);
    if (requests_.size() >= requests_max) return false;
    requests_.push_back(std::move(request));
  }
  runner_.bell().ring();
  return true;
}

bool Supervisor::join(std::shared_ptr<Link> link) {
  return ask(Join{std::move(link)}, kRequestsMax);
}

void Supervisor::leave() {
  (void)ask(Leave{}, kRequestsMax + 2);  // one daemon at a time leaves at most once
}

bool Supervisor::load(card_link::Load load, std::uint64_t received_ns) {
  return ask(LoadOrder{std::move(load), received_ns}, kRequestsMax);
}

bool Supervisor::command(std::uint64_t ticket, card_link::Command command) {
  return ask(CommandOrder{ticket, command}, kRequestsMax);
}

std::optional<Supervisor::Request> Supervisor::next_request() {
  const std::scoped_lock lock(requests_mutex_);
  if (requests_.empty()) return std::nullopt;
  Request request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

CardSnapshot Supervisor::snapshot() const {
  const std::scoped_lock lock(snapshot_mutex_);
  return snapshot_;
}

std::size_t Supervisor::do_work() noexcept {
  if (handle_fault() || try_again()) return 1;
  if (!leaving_ && card_.link_broken()) {
    leaving_ = true;
    events_.dismissed("its rings hold what cannot be");
  }
  if (leaving_ && card_.leave()) {
    leaving_ = false;
    if (up_) settle({});
    events_.left();
    return 1;
  }
  if (leaving_) return 0;  // first things first
  auto request = next_request();
  if (!request) {
    read_sensors();
    return 0;
  }
  std::visit([this](auto& what) { handle(what); }, *request);
  return 1;
}

void Supervisor::wait_for_work() noexcept {
  (void)runner_.bell().wait(kSleepMs);
}

void Supervisor::handle(Join& request) {
  const auto joined = card_.join(std::move(request.link));
  if (joined) return;
  events_.dismissed(joined.error().message);
  leaving_ = true;
  if (is_cured_by_reset(joined.error().kind)) runner_.faults().put(joined.error());
}

void Supervisor::handle(Leave&) {
  if (!card_.has_link()) return;  // dismissed before
  leaving_ = true;
}

void Supervisor::handle(LoadOrder& request) {
  const std::uint64_t id = request.load.load_id;
  if (!up_) {
    refuse_load(id, fmt::format("the card is not there: {}", snapshot().state.reason));
    return;
  }
  tell(CardState::kLoading, fmt::format("loading {}", request.load.folder));
  auto loaded = card_.load(request.load, request.received_ns);
  if (loaded) {
    log_.info("loaded", {{"bundle", request.load.folder},
                         {"load_id", id},
                         {"kind", card_link::name_of(loaded->kind)},
                         {"took_us", loaded->duration_ns / 1'000},
                         {"program_us", loaded->program_ns / 1'000},
                         {"golden_events", loaded->golden_events}});
    settle({});
    events_.loaded(*loaded);
    return;
  }
  figures_.supervisor.loads_failed.add(1);
  log_.warn("load failed", {{"bundle", request.load.folder}, {"reason", loaded.error().message}});
  settle("the last load failed: " + loaded.error().message);
  refuse_load(id, loaded.error().message);
}

void Supervisor::refuse_load(std::uint64_t load_id, std::string why) {
  Loaded refused;
  refused.load_id = load_id;
  refused.error = std::move(why);
  events_.loaded(refused);
}

void Supervisor::handle(CommandOrder& request) {
  events_.done(request.ticket, carry_out(request.command));
}

CommandDone Supervisor::carry_out(const card_link::Command& command) {
  CommandDone done;
  if (command.verb == Verb::kReset && !card_.can_reset()) {
    done.error = "no reset: kantrig-card was started without --reset-command";
    return done;
  }
  if (command.verb == Verb::kReset) {
    reset_due_ = true;
    log_.warn("resetting the card: an operator asked for it");
    if (up_) card_.give_up({FaultKind::kLost, 0, "reset by an operator"});
    up_ = false;
    retry_at_ns_ = 0;
    (void)try_again();
    done.text = up_ ? "reset, loaded and proved again\n" : "";
    if (!up_) done.error = "after the reset: " + last_trouble_;
    return done;
  }
  if (!up_) {
    done.error = fmt::format("the card is not there: {}", snapshot().state.reason);
    return done;
  }
  DeviceResult<void> outcome;
  if (command.verb == Verb::kTest) {
    auto tested = card_.test();
    if (tested) done.text = std::move(*tested);
    if (!tested) outcome = tl::unexpected<Fault>(tested.error());
  } else if (command.verb == Verb::kMeasure) {
    auto measured = card_.measure(command.events, mode_);
    if (measured) done.times = *measured;
    if (!measured) outcome = tl::unexpected<Fault>(measured.error());
  } else {
    done.error = "unknown command: expected test, reset or measure";
  }
  if (!outcome) {
    done.error = outcome.error().message;
    if (outcome.error().kind != FaultKind::kRefused) runner_.faults().put(outcome.error());
  }
  return done;
}

/// True when there was one: the device is let go of, and is to be tried again at once.
bool Supervisor::handle_fault() {
  auto fault = runner_.faults().take();
  if (!fault) return false;
  figures_.supervisor.faults[static_cast<std::size_t>(fault->kind)].add(1);
  log_.error("fault", {{"kind", name_of(fault->kind)}, {"errno", fault->error}, {"reason", fault->message}});
  if (!up_) return true;  // of the device that was given up already
  up_ = false;
  tell(CardState::kRecovering, fault->message);
  card_.give_up(*fault);
  reset_due_ = reset_due_ || (card_.can_reset() && is_cured_by_reset(fault->kind));
  const std::uint64_t now_ns = clock_.now_ns();
  if (now_ns - up_since_ns_ > retry_.calm_ns) retry_wait_ns_ = 0;
  retry_at_ns_ = now_ns + retry_wait_ns_;
  retry_wait_ns_ = std::clamp(retry_wait_ns_ * 2, retry_.min_ns, retry_.max_ns);
  last_trouble_.clear();
  return true;
}

/// Opens the device and brings back what was ready. True when it was time to try.
bool Supervisor::try_again() {
  if (up_ || clock_.now_ns() < retry_at_ns_) return false;
  const auto back = card_.bring_back(reset_due_ ? Card::Reset::kYes : Card::Reset::kNo);
  if (!back) {
    postpone(back.error());
    return true;
  }
  up_ = true;
  reset_due_ = false;
  up_since_ns_ = clock_.now_ns();
  if (ever_up_) figures_.supervisor.recoveries.add(1);
  last_trouble_.clear();
  log_.info(ever_up_ ? "recovered" : "opened", {{"device", card_.name().address},
                                                {"name", card_.name().name},
                                                {"platform", card_.platform()},
                                                {"models", card_.models().load_ids().size()}});
  ever_up_ = true;
  settle({});
  return true;
}

void Supervisor::postpone(const Fault& fault) {
  const bool opened = card_.is_open();
  card_.give_up(fault);
  if (opened) figures_.supervisor.faults[static_cast<std::size_t>(fault.kind)].add(1);
  if (ever_up_) figures_.supervisor.recoveries_failed.add(1);
  retry_wait_ns_ = std::clamp(retry_wait_ns_ * 2, retry_.min_ns, retry_.max_ns);
  retry_at_ns_ = clock_.now_ns() + retry_wait_ns_;
  if (std::exchange(last_trouble_, fault.message) != fault.message) {
    log_.warn(opened ? "the card does not recover: the CPU decides meanwhile"
                     : "no card: the CPU decides meanwhile, and it is looked for again and again",
              {{"reason", fault.message}});
  }
  tell(opened ? CardState::kRecovering : CardState::kAbsent, fault.message);
}

/// Says what the card is now that nothing is going on.
void Supervisor::settle(std::string reason) {
  tell(card_.models().entries().empty() ? CardState::kIdle : CardState::kReady, std::move(reason));
}

void Supervisor::tell(CardState state, std::string reason) {
  card_link::StateChange change{state, std::move(reason), card_.models().load_ids()};
  {
    const std::scoped_lock lock(snapshot_mutex_);
    snapshot_.device = card_.name();
    if (!card_.platform().empty()) snapshot_.platform = card_.platform();
    snapshot_.state = change;
    snapshot_.xclbin = card_.uuid();
    snapshot_.compute_units = card_.compute_units();
    snapshot_.models = model_states(card_.models());
  }
  events_.state(change);
}

/// What is ready has changed in the middle of something.
void Supervisor::tell_changed() {
  const card_link::StateChange state = snapshot().state;
  tell(state.state, state.reason);
}

void Supervisor::read_sensors() {
  if (!up_ || clock_.now_ns() < sensors_at_ns_) return;
  sensors_at_ns_ = clock_.now_ns() + kSensorsNs;
  auto sensors = parse_sensors(card_.sensors());
  const std::scoped_lock lock(snapshot_mutex_);
  snapshot_.sensors = std::move(sensors);
}

}  // namespace kantrig::card_host
