#include "control/card_supervisor.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "control/backoff.hpp"
#include "control/card_connection.hpp"
#include "control/card_models.hpp"
#include "control/card_reasons.hpp"

namespace kantrig::control {
namespace {

using backend::SeatState;
using backend::Trouble;
using card_link::CardState;

constexpr std::uint64_t kNsPerMs = 1'000'000;

bool is_there(CardState state) {
  return state == CardState::kIdle || state == CardState::kLoading || state == CardState::kReady;
}

std::vector<std::uint32_t> shards_of(const std::vector<CardSupervisor::Seat>& seats) {
  std::vector<std::uint32_t> shards;
  for (const CardSupervisor::Seat& seat : seats) shards.push_back(seat.shard);
  return shards;
}

}  // namespace

std::vector<std::string> open_reasons() {
  return {kOpenReasonNames.begin(), kOpenReasonNames.end()};
}

class CardSupervisor::Impl {
 public:
  Impl(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log, CardOptions options,
       std::vector<Seat> seats)
      : io_(io),
        clock_(clock),
        log_(log),
        options_(std::move(options)),
        seats_(std::move(seats)),
        models_(shards_of(seats_)),
        backoff_(options_.retry_min_ms * kNsPerMs, options_.retry_max_ms * kNsPerMs, options_.seed),
        tick_(io) {
    options_.shape.ports = static_cast<std::uint32_t>(seats_.size());
    figures_.socket = options_.socket.string();
    figures_.reason = "not tried yet";
    for (const Seat& seat : seats_) {
      doorbells_.push_back(seat.doorbell);
      if (auto bell = card_link::Doorbell::duplicate(seat.doorbell)) bells_.push_back(std::move(*bell));
    }
  }

  void start() {
    if (running_) return;
    running_ = true;
    join();
    wait();
  }
  void stop() {
    running_ = false;
    tick_.cancel();
    close("stopped");
    figures_.breaker = Breaker::kOpen;
  }
  void want(const CardModels::Pointer& active, const CardModels::Pointer& previous) {
    if (models_.want(active, previous)) attend();
  }
  void set_route(backend::Route route) {
    for (const Seat& seat : seats_) seat.seat->set_route(route);
  }
  [[nodiscard]] const CardFigures& figures() const noexcept { return figures_; }

 private:
  // The link.
  void wait();
  void look();
  void join();
  void on_message(const card_link::Message& message);
  void on_welcome(const card_link::Welcome& welcome);
  void on_state(const card_link::StateChange& state);
  void on_loaded(const card_link::Loaded& loaded);
  void open(OpenReason reason, const std::string& why);
  void close(const std::string& why);
  void say_once(const std::string& why);
  [[nodiscard]] bool collect_ports();
  /// They may sleep, and have orders to read.
  void wake_shards() const {
    for (const card_link::Doorbell& bell : bells_) bell.ring();
  }

  // While it is there.
  void attend();
  void check_deadlines(std::uint64_t now_ns);
  void check_seats();
  void check_heart(std::uint64_t now_ns);
  void judge();

  boost::asio::io_context& io_;
  const base::Clock& clock_;
  base::Logger& log_;
  CardOptions options_;
  std::vector<Seat> seats_;
  std::vector<int> doorbells_;
  std::vector<card_link::Doorbell> bells_;  // ours of the same, which may outlive the shards'
  CardModels models_;
  CardFigures figures_;
  Backoff backoff_;
  boost::asio::steady_timer tick_;

  bool running_ = false;
  std::unique_ptr<CardConnection> connection_;
  bool welcome_ = false;
  std::uint64_t ports_out_ = 0;  // handed to seats and not yet returned
  std::uint64_t closed_since_ns_ = 0;
  std::uint64_t joined_at_ns_ = 0;
  std::uint64_t load_sent_ns_ = 0;
  std::uint64_t last_beat_ = 0;
  std::uint64_t last_beat_ns_ = 0;
  std::uint64_t last_look_ns_ = 0;
  std::string said_;          // the last line about trouble
  std::string said_failure_;  // and about a model that the card does not take
};

void CardSupervisor::Impl::wait() {
  tick_.expires_after(std::chrono::milliseconds(options_.poll_ms));
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (error || !running_) return;  // the timer went with its owner
    look();
    wait();
  });
}

void CardSupervisor::Impl::look() {
  const std::uint64_t now_ns = clock_.now_ns();
  if (!connection_) {
    // A region that a shard still holds is not given up, and its seat takes no other.
    if (collect_ports() && backoff_.over(now_ns)) join();
    last_look_ns_ = now_ns;
    return;
  }
  auto& beat = connection_->header().daemon_beat;
  beat.store(beat.load(std::memory_order_relaxed) + 1,
             std::memory_order_relaxed);  // compared with itself only
  check_seats();
  if (connection_) check_heart(now_ns);
  if (connection_) check_deadlines(now_ns);
  if (connection_) attend();
  last_look_ns_ = now_ns;
}

void CardSupervisor::Impl::join() {
  const auto now_ns = clock_.now_ns();
  welcome_ = false;
  auto opened = CardConnection::open(
      io_, options_.socket, options_.shape, doorbells_,
      {.message = [this](const card_link::Message& message) { on_message(message); },
       .lost =
           [this](const Error& error) {
             open(error.code == ErrorCode::kIo ? OpenReason::kLost : OpenReason::kRefused, error.message);
           }});
  if (!opened) return open(OpenReason::kAbsent, opened.error().message);
  connection_ = std::move(*opened);
  figures_.breaker = Breaker::kHalfOpen;
  joined_at_ns_ = now_ns;
  last_beat_ns_ = now_ns;
  last_beat_ = 0;
}

void CardSupervisor::Impl::on_message(const card_link::Message& message) {
  if (const auto* welcome = std::get_if<card_link::Welcome>(&message)) {
    on_welcome(*welcome);
  } else if (const auto* state = std::get_if<card_link::StateChange>(&message)) {
    on_state(*state);
  } else if (const auto* loaded = std::get_if<card_link::Loaded>(&message)) {
    on_loaded(*loaded);
  } else if (const auto* refusal = std::get_if<card_link::Refusal>(&message)) {
    open(OpenReason::kRefused, refusal->error);
  } else {
    open(OpenReason::kRefused, "card socket: a message that a daemon does not expect");
  }
}

void CardSupervisor::Impl::on_welcome(const card_link::Welcome& welcome) {
  if (welcome_) return open(OpenReason::kRefused, "card socket: welcomed twice");
  welcome_ = true;
  ++figures_.joins;
  figures_.device = welcome.device;
  last_beat_ns_ = clock_.now_ns();
  log_.info("card joined", {{"socket", figures_.socket},
                            {"device", welcome.device},
                            {"platform", welcome.platform},
                            {"version", welcome.version},
                            {"state", card_link::name_of(welcome.state.state)}});
  for (std::uint32_t i = 0; i < seats_.size(); ++i) {
    if (!seats_[i].seat->offer(connection_->make_port(i)))
      return open(OpenReason::kLost, fmt::format("shard {} does not read its orders", seats_[i].shard));
    ++ports_out_;
  }
  wake_shards();
  on_state(welcome.state);
}

void CardSupervisor::Impl::on_state(const card_link::StateChange& state) {
  if (!welcome_) return open(OpenReason::kRefused, "card socket: a state before the welcome");
  const bool was_there = is_there(figures_.card_state);
  figures_.card_state = state.state;
  models_.set_ready(state.ready);
  if (is_there(state.state)) {
    if (!was_there) models_.retry_now();
  } else {
    // Its process looks after the device; the link stays.
    figures_.breaker = Breaker::kOpen;
    if (was_there) ++figures_.opened[static_cast<std::size_t>(OpenReason::kAbsent)];
    say_once(fmt::format("the card is {}: {}", card_link::name_of(state.state), state.reason));
  }
  attend();
}

void CardSupervisor::Impl::on_loaded(const card_link::Loaded& loaded) {
  if (!welcome_) return open(OpenReason::kRefused, "card socket: an answer before the welcome");
  models_.loaded(loaded, clock_.now_ns());
  if (loaded.error.empty()) {
    const auto kind = static_cast<std::size_t>(loaded.kind);
    if (kind < std::size(figures_.loads)) ++figures_.loads[kind];
    figures_.last_load_kind = loaded.kind;
    figures_.last_load_ns = loaded.duration_ns;
    figures_.last_program_ns = loaded.program_ns;
    log_.info("card loaded a model", {{"load_id", loaded.load_id},
                                      {"kind", card_link::name_of(loaded.kind)},
                                      {"took_us", loaded.duration_ns / 1'000}});
  } else {
    ++figures_.loads_failed;
  }
  attend();
}

/// Orders what is wanted, places what is ready, and says how things stand.
void CardSupervisor::Impl::attend() {
  if (!connection_ || !welcome_) return;
  const std::uint64_t now_ns = clock_.now_ns();
  if (is_there(figures_.card_state)) {
    if (const auto load = models_.next_load(now_ns)) {
      if (auto sent = connection_->send(*load); !sent) return open(OpenReason::kLost, sent.error().message);
      load_sent_ns_ = now_ns;
    }
  }
  if (models_.place(now_ns)) wake_shards();
  judge();
}

void CardSupervisor::Impl::judge() {
  const std::string failure = models_.failure();
  if (!failure.empty() && failure != said_failure_)
    log_.warn("the card does not take the model: the CPU decides", {{"reason", failure}});
  said_failure_ = failure;
  if (!is_there(figures_.card_state)) return;
  const bool up = models_.active_is_placed() && std::ranges::all_of(seats_, [](const Seat& seat) {
                    return seat.seat->state() == SeatState::kUp;
                  });
  if (up && figures_.breaker != Breaker::kClosed) {
    closed_since_ns_ = clock_.now_ns();
    log_.info("card decides", {{"socket", figures_.socket}, {"device", figures_.device}});
    said_.clear();
  }
  figures_.breaker = up ? Breaker::kClosed : Breaker::kHalfOpen;
  figures_.reason = up                           ? ""
                    : !failure.empty()           ? failure
                    : models_.loading()          ? "loading"
                    : models_.active_is_placed() ? "proving"
                                                 : "no model is wanted of it";
}

void CardSupervisor::Impl::check_seats() {
  for (const Seat& seat : seats_) {
    if (auto port = seat.seat->returned()) {
      --ports_out_;
      const Trouble trouble = seat.seat->trouble();
      return open(reason_of(trouble), fmt::format("shard {} gave it up: {}", seat.shard, name_of(trouble)));
    }
  }
}

void CardSupervisor::Impl::check_heart(std::uint64_t now_ns) {
  const std::uint64_t timeout_ns = options_.beat_timeout_ms * kNsPerMs;
  const std::uint64_t beat = connection_->header().card_beat.load(std::memory_order_relaxed);
  // When we ourselves have not looked for long, its silence says nothing.
  if (beat != last_beat_ || !welcome_ || now_ns - last_look_ns_ > timeout_ns / 2) last_beat_ns_ = now_ns;
  last_beat_ = beat;
  if (now_ns - last_beat_ns_ > timeout_ns)
    open(OpenReason::kHeartbeat, fmt::format("its heart has not beaten for {} ms", options_.beat_timeout_ms));
}

void CardSupervisor::Impl::check_deadlines(std::uint64_t now_ns) {
  if (!welcome_ && now_ns - joined_at_ns_ > options_.hello_timeout_ms * kNsPerMs)
    return open(OpenReason::kRefused, fmt::format("no welcome within {} ms", options_.hello_timeout_ms));
  if (models_.loading() && now_ns - load_sent_ns_ > options_.load_timeout_ms * kNsPerMs)
    open(OpenReason::kLoadTimeout,
         fmt::format("a model is not loaded after {} ms", options_.load_timeout_ms));
}

/// The breaker opens: the link goes whole, and the next try comes after a pause.
void CardSupervisor::Impl::open(OpenReason reason, const std::string& why) {
  const std::uint64_t now_ns = clock_.now_ns();
  // A card that is simply not there opens nothing again and again.
  if (reason != OpenReason::kAbsent || figures_.breaker != Breaker::kOpen || figures_.reason != why)
    ++figures_.opened[static_cast<std::size_t>(reason)];
  const bool held =
      figures_.breaker == Breaker::kClosed && now_ns - closed_since_ns_ >= options_.retry_max_ms * kNsPerMs;
  backoff_.failed(now_ns, held);
  say_once(fmt::format("{}: {}", kOpenReasonNames[static_cast<std::size_t>(reason)], why));
  close(why);
}

void CardSupervisor::Impl::close(const std::string& why) {
  models_.forget();
  for (const Seat& seat : seats_) seat.seat->withdraw();
  wake_shards();
  figures_.breaker = Breaker::kOpen;
  figures_.reason = why;
  figures_.card_state = CardState::kUnspecified;
  welcome_ = false;
  if (!connection_) return;
  connection_->end();
  // We may be in one of its callbacks.
  boost::asio::post(io_, [gone = std::shared_ptr<CardConnection>(std::move(connection_))] {});
}

/// True when no seat holds a port any more.
bool CardSupervisor::Impl::collect_ports() {
  for (const Seat& seat : seats_) {
    if (seat.seat->returned()) --ports_out_;
  }
  return ports_out_ == 0;
}

void CardSupervisor::Impl::say_once(const std::string& why) {
  figures_.reason = why;
  if (std::exchange(said_, why) != why)
    log_.warn("no card: the CPU decides", {{"socket", figures_.socket}, {"reason", why}});
}

CardSupervisor::CardSupervisor(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log,
                               CardOptions options, std::vector<Seat> seats)
    : impl_(std::make_unique<Impl>(io, clock, log, std::move(options), std::move(seats))) {}
CardSupervisor::~CardSupervisor() {
  stop();
}

void CardSupervisor::start() {
  impl_->start();
}
void CardSupervisor::stop() {
  impl_->stop();
}
void CardSupervisor::want(std::shared_ptr<const pipeline::LoadedModel> active,
                          std::shared_ptr<const pipeline::LoadedModel> previous) {
  impl_->want(active, previous);
}
void CardSupervisor::set_route(backend::Route route) {
  impl_->set_route(route);
}
const CardFigures& CardSupervisor::figures() const noexcept {
  return impl_->figures();
}

}  // namespace kantrig::control
