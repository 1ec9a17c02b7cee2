#include "pipeline/shard.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "kan/model.hpp"

namespace kantrig::pipeline {
namespace {

constexpr std::size_t kMessagesPerTurn = 64;
constexpr std::size_t kCommandsMax = 16;
constexpr std::size_t kLineNamesMax = 1'024;
constexpr std::size_t kGoodbyesMax = 1'024;
constexpr std::uint64_t kTimerNs = 100'000'000;
constexpr std::uint32_t kSleepMaxMs = 100;
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::size_t kScratchBytes = 64U << 10;

}  // namespace

Result<std::unique_ptr<Shard>> Shard::create(ShardOptions options, wire::Context& context,
                                             const base::Clock& clock) {
  auto books = ledger::ShardLedger::open(options.ledger_file, options.ledger, clock.unix_ns());
  if (!books) return tl::unexpected<Error>(books.error());
  auto socket = wire::ServerSocket::bind(context, options.socket);
  if (!socket) return tl::unexpected<Error>(socket.error());
  const int wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd < 0) return fail(ErrorCode::kIo, "shard {}: eventfd: {}", options.index, std::strerror(errno));
  return std::unique_ptr<Shard>(
      new Shard(std::move(options), clock, std::move(*books), std::move(*socket), wake_fd));
}

Shard::Shard(ShardOptions options, const base::Clock& clock, ledger::ShardLedger books,
             wire::ServerSocket socket, int wake_fd)
    : options_(std::move(options)),
      clock_(clock),
      books_(std::move(books)),
      socket_(std::move(socket)),
      wake_fd_(wake_fd),
      under_way_(options_.batches_under_way),
      decoder_(options_.frame_bytes_max),
      sessions_(options_.ledger.lanes_max),
      probe_(kan::kInputsMax),
      scratch_(kScratchBytes),
      clamped_(kan::kInputsMax),
      lanes_live_(std::make_unique<bool[]>(options_.ledger.lanes_max)),
      commands_(kCommandsMax),
      retired_(kCommandsMax * 2),
      goodbyes_(kGoodbyesMax) {
  now_ns_ = clock_.now_ns();
  unix_offset_ns_ = clock_.unix_ns() - now_ns_;
  time_accounted_ns_ = now_ns_;
}

Shard::~Shard() {
  ::close(wake_fd_);
}

void Shard::end() noexcept {
  if (!decider_) return;
  now_ns_ = clock_.now_ns();
  settle();
  send_held_answers();
  account_time();
  books_.close_block(ledger::BlockClose::kStop, unix_ns());
  decider_.reset();
}

std::size_t Shard::do_work() noexcept {
  now_ns_ = clock_.now_ns();
  probe_.cycles.add(1);
  if (options_.seat != nullptr) options_.seat->poll(now_ns_);
  std::size_t work = adopt_next();
  if (!decider_) return work;
  work += finish_done();
  if (now_ns_ >= next_timer_ns_) run_timers();
  work += receive_messages();
  // Nothing more can join what was begun, but for messages that wait for the next turn.
  if (options_.seat != nullptr && found_messages_ < kMessagesPerTurn) options_.seat->flush(now_ns_);
  send_held_answers();
  if (work > 0) {
    under_way_.message().clear();
    last_work_ns_ = now_ns_;
  }
  return work;
}

/// As many as a turn may take, and as there is room to begin.
std::size_t Shard::receive_messages() noexcept {
  found_messages_ = 0;
  while (found_messages_ < kMessagesPerTurn && has_room() && socket_.receive(under_way_.message())) {
    ++found_messages_;
    handle_message();
  }
  const bool found_all = found_messages_ < kMessagesPerTurn && has_room();
  expected_messages_ = found_all ? found_messages_ : kMessagesPerTurn;
  return found_messages_;
}

void Shard::wait_for_work() noexcept {
  if (options_.busy_poll) return;
  if (now_ns_ - last_work_ns_ < options_.spin_ns) return;
  backend::CardSeat* const seat = options_.seat;
  const std::uint32_t sleep_ms = seat != nullptr ? seat->sleep_ms(clock_.now_ns(), kSleepMaxMs) : kSleepMaxMs;
  if (sleep_ms == 0) return;
  if (seat == nullptr || seat->prepare_to_sleep()) {
    // Without room for a batch the socket was not asked: what it holds must wait for the card.
    if (!decider_ || has_room()) {
      if (socket_.wait(sleep_ms, wake_fd_).woken) hear_doorbell();
    } else {
      wait_for_doorbell(std::uint64_t{sleep_ms} * kNsPerMs);
    }
  }
  if (seat != nullptr) seat->awake();
}

/// Takes the newest conditions, if any are waiting and the books have room for the block that they close.
std::size_t Shard::adopt_next() noexcept {
  if (!next_) {
    auto command = commands_.try_pop();
    if (!command) return 0;
    next_ = std::move(*command);
  }
  const Conditions& next = next_->conditions();
  if (decider_) {
    settle();  // no batch sees two conditions
    account_time();
  }
  const ledger::BlockKey key{.run = next.run,
                             .block = next.block,
                             .generation = next.generation,
                             .column = next.column,
                             .line_count = static_cast<std::uint32_t>(next.menu->lines().size()),
                             .model_digest = next.model->bundle.digest,
                             .menu_digest = next.menu->digest()};
  if (!books_.roll_block(key, next.closes_previous, unix_ns())) return 0;  // tried again next turn
  std::swap(decider_, next_);
  probe_.drained.set(0.0);  // before the control thread can see that these conditions are in force
  const bool handed_back =
      retired_.try_push(std::move(next_));  // may be empty: the first adoption replaces nothing
  KANTRIG_ASSERT(handed_back);              // the control thread hands over no more than it has taken back
  next_.reset();

  compute_credit();
  if (credit() != credit_told_) send_credit_to_all();
  publish_gauges();
  return 1;
}

void Shard::run_timers() noexcept {
  next_timer_ns_ = now_ns_ + kTimerNs;
  unix_offset_ns_ = clock_.unix_ns() - now_ns_;
  drop_silent_sessions();
  send_unsent_answers();
  account_time();
  if (decider_->canary_passes()) {
    probe_.canaries_passed.add(1);
    probe_.canary_last_pass_unix_s.set(static_cast<double>(unix_ns()) * 1e-9);
  } else {
    probe_.canaries_failed.add(1);
  }
  publish_gauges();
}

void Shard::account_time() noexcept {
  const std::uint64_t passed = now_ns_ - time_accounted_ns_;
  time_accounted_ns_ = now_ns_;
  if (giving_credit()) {
    books_.add_time(passed, std::min(busy_ns_, passed), 0);
  } else {
    books_.add_time(0, 0, passed);
  }
  busy_ns_ = 0;
}

bool Shard::giving_credit() const noexcept {
  return conditions().run.value != 0 && !conditions().draining;
}

void Shard::handle_message() noexcept {
  const std::uint64_t start_ns = now_ns_;
  const std::uint64_t settled_ns = settled_ns_;
  const wire::ClientMessage& message = decoder_.decode(under_way_.message().frames());
  switch (message.kind) {
    case wire::ClientMessageKind::kBatch:
      on_batch(message);
      break;
    case wire::ClientMessageKind::kMalformed:
      on_malformed(message);
      break;
    default:
      if (message.kind != wire::ClientMessageKind::kHeartbeat) settle();
      send_held_answers();
      handle_session_message(message);  // may close a session that an answer waits for
  }
  busy_ns_ += now_ns_ - start_ns - (settled_ns_ - settled_ns);
}

void Shard::handle_session_message(const wire::ClientMessage& message) noexcept {
  switch (message.kind) {
    case wire::ClientMessageKind::kHello:
      on_hello(message.hello);
      break;
    case wire::ClientMessageKind::kHeartbeat:
      on_heartbeat(message.heartbeat);
      break;
    case wire::ClientMessageKind::kDrainAck:
      on_drain_ack(message.drain_ack);
      break;
    case wire::ClientMessageKind::kBye:
      on_bye(message.bye);
      break;
    case wire::ClientMessageKind::kBatch:
    case wire::ClientMessageKind::kMalformed:
      break;  // handle_message() has taken them
  }
  now_ns_ = clock_.now_ns();
}

bool Shard::adopt(std::shared_ptr<const Conditions> next) {
  if (handed_over_.size() >= kCommandsMax) return false;
  std::vector<LineProbe*> line_probes;
  for (const menu::LineInfo& line : next->menu->lines()) {
    // Past the bound, new names share one series: an operator who loads thousands of menus must not fill the
    // memory.
    const bool known = line_probes_.contains(line.name) || line_probes_.size() < kLineNamesMax;
    line_probes.push_back(&line_probes_[known ? line.name : "other"]);
  }
  auto decider = std::make_unique<Decider>(next,
                                           DeciderOptions{.shard = options_.index,
                                                          .events_max = options_.events_per_batch_max,
                                                          .depth = options_.batches_under_way},
                                           std::move(line_probes));
  if (!commands_.try_push(std::move(decider))) return false;
  handed_over_.push_back(std::move(next));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n =
      ::write(wake_fd_, &one, sizeof one);  // cannot fail but by overflow, which wakes too
  return true;
}

std::shared_ptr<const Conditions> Shard::adopted() {
  while (retired_.try_pop()) {  // destroys, here, what the shard no longer uses
    in_force_ = std::move(handed_over_.front());
    handed_over_.erase(handed_over_.begin());
  }
  return in_force_;
}

bool Shard::drained() {
  const auto current = adopted();
  return current && current->draining && handed_over_.empty() && probe_.drained.value() > 0.0;
}

}  // namespace kantrig::pipeline
