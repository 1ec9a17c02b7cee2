#include "support/card_daemon.hpp"

#include <unistd.h>

#include <chrono>
#include <span>
#include <thread>

#include "kan/record_layout.hpp"

namespace kantrig::test {

using card_link::CardState;
using card_link::Completion;
using card_link::Loaded;
using card_link::Message;
using card_link::SlotStatus;

namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::chrono::milliseconds kRetry{10};

/// Golden vectors `first`, `first` + 1, ... of the bundle, round and round: rows of `width` values.
template <typename T>
std::vector<T> rows_of(const std::vector<T>& values, std::size_t width, std::uint32_t count,
                       std::uint32_t first, std::uint32_t events) {
  std::vector<T> rows;
  for (std::uint32_t i = 0; i < events; ++i) {
    const auto row = std::span(values).subspan(std::size_t{(first + i) % count} * width, width);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace

Result<std::unique_ptr<CardCaller>> CardCaller::connect(const std::filesystem::path& socket) {
  const base::SystemClock clock;
  const std::uint64_t begin_ns = clock.now_ns();
  for (;;) {
    auto connected = card_link::PacketSocket::connect(socket);
    if (connected) return std::unique_ptr<CardCaller>(new CardCaller(std::move(*connected)));
    if (clock.now_ns() - begin_ns > kAnswerMs * kNsPerMs) return tl::unexpected(connected.error());
    std::this_thread::sleep_for(kRetry);
  }
}

Result<std::unique_ptr<CardCaller>> CardCaller::connect_operator(const std::filesystem::path& socket) {
  auto caller = connect(socket);
  if (!caller) return caller;
  card_link::Hello hello;
  hello.role = card_link::Role::kOperator;
  hello.pid = static_cast<std::uint64_t>(::getpid());
  if (auto sent = (*caller)->send(hello); !sent) return tl::unexpected(sent.error());
  if (auto welcome = (*caller)->answer<card_link::Welcome>(); !welcome)
    return tl::unexpected(welcome.error());
  return caller;
}

Result<void> CardCaller::send(const Message& message, const std::vector<int>& descriptors) {
  return send_bytes(card_link::encode(message), descriptors);
}

Result<void> CardCaller::send_bytes(std::string_view bytes, const std::vector<int>& descriptors) {
  return socket_.send(bytes, descriptors);
}

Result<Message> CardCaller::next(std::uint32_t timeout_ms) {
  const std::uint64_t end_ns = clock_.now_ns() + timeout_ms * kNsPerMs;
  for (;;) {
    auto packet = socket_.receive();
    if (!packet) return tl::unexpected(packet.error());
    if (*packet) {
      auto message = card_link::decode(std::as_bytes(std::span((*packet)->bytes)));
      if (message) {
        if (const auto* state = std::get_if<card_link::StateChange>(&*message)) states.push_back(*state);
      }
      return message;
    }
    const std::uint64_t now_ns = clock_.now_ns();
    if (now_ns >= end_ns) return fail(ErrorCode::kTimeout, "no message within {} ms", timeout_ms);
    (void)socket_.wait(static_cast<std::uint32_t>((end_ns - now_ns) / kNsPerMs + 1));
  }
}

bool CardCaller::wait_for(CardState state, std::uint32_t timeout_ms) {
  const std::uint64_t end_ns = clock_.now_ns() + timeout_ms * kNsPerMs;
  while (states.empty() || states.back().state != state) {
    const std::uint64_t now_ns = clock_.now_ns();
    if (now_ns >= end_ns || !next(static_cast<std::uint32_t>((end_ns - now_ns) / kNsPerMs + 1))) return false;
  }
  return true;
}

Result<card_link::Status> CardCaller::status() {
  if (auto sent = send(card_link::StatusRequest{}); !sent) return tl::unexpected(sent.error());
  return answer<card_link::Status>();
}

Result<card_link::CommandDone> CardCaller::command(const card_link::Command& command) {
  if (auto sent = send(command); !sent) return tl::unexpected(sent.error());
  return answer<card_link::CommandDone>();
}

Result<std::unique_ptr<CardDaemon>> CardDaemon::join(const std::filesystem::path& socket,
                                                     const card_link::RegionShape& shape) {
  std::unique_ptr<CardDaemon> daemon(new CardDaemon());
  auto region = card_link::Region::create(shape);
  if (!region) return tl::unexpected(region.error());
  daemon->region_ = std::move(*region);
  auto card = card_link::Doorbell::create();
  if (!card) return tl::unexpected(card.error());
  std::vector<int> descriptors{daemon->region_->fd(), card->fd()};
  for (std::uint32_t port = 0; port < shape.ports; ++port) {
    auto bell = card_link::Doorbell::create();
    if (!bell) return tl::unexpected(bell.error());
    descriptors.push_back(bell->fd());
    daemon->bells_.push_back(std::move(*bell));
  }
  auto caller = CardCaller::connect(socket);
  if (!caller) return tl::unexpected(caller.error());
  daemon->caller_ = std::move(*caller);
  card_link::Hello hello;
  hello.role = card_link::Role::kDaemon;
  hello.pid = static_cast<std::uint64_t>(::getpid());
  hello.version = "test";
  hello.region = shape;
  if (auto sent = daemon->caller_->send(hello, descriptors); !sent) return tl::unexpected(sent.error());
  auto welcome = daemon->caller_->answer<card_link::Welcome>();
  if (!welcome) return tl::unexpected(welcome.error());
  daemon->welcome_ = std::move(*welcome);
  daemon->caller_->states.push_back(daemon->welcome_.state);
  const auto shared = std::make_shared<const card_link::Doorbell>(std::move(*card));
  for (std::uint32_t port = 0; port < shape.ports; ++port)
    daemon->ports_.push_back(std::make_unique<card_link::DaemonPort>(daemon->region_, port, shared));
  return daemon;
}

Result<std::unique_ptr<CardDaemon>> CardDaemon::join_soon(const std::filesystem::path& socket,
                                                          const card_link::RegionShape& shape) {
  const base::SystemClock clock;
  const std::uint64_t end_ns = clock.now_ns() + CardCaller::kAnswerMs * kNsPerMs;
  for (;;) {
    auto daemon = join(socket, shape);
    if (daemon || daemon.error().code != ErrorCode::kBusy || clock.now_ns() > end_ns) return daemon;
    std::this_thread::sleep_for(kRetry);
  }
}

Result<Loaded> CardDaemon::load(std::uint64_t load_id, const std::filesystem::path& folder,
                                const base::Digest& digest, std::vector<std::uint64_t> keep) {
  const auto sent = caller_->send(card_link::Load{load_id, folder.native(), digest, std::move(keep)});
  if (!sent) return tl::unexpected(sent.error());
  for (;;) {
    auto loaded = caller_->answer<Loaded>(120'000);
    if (!loaded || loaded->load_id == load_id) return loaded;
  }
}

void CardDaemon::submit(std::uint32_t slot, std::uint64_t load_id, const kan::Bundle& bundle,
                        const Loaded& loaded, std::uint32_t events, std::uint32_t first,
                        std::uint32_t port_number) {
  const auto rows =
      rows_of(bundle.golden.inputs, bundle.model.input_count(), bundle.golden.count, first, events);
  kan::pack_records(loaded.input, rows, events, port(port_number).input(slot));
  port(port_number).submit(slot, load_id, events, clock_.now_ns());
}

Result<Completion> CardDaemon::wait(std::uint32_t timeout_ms, std::uint32_t port_number) {
  const std::uint64_t end_ns = clock_.now_ns() + timeout_ms * kNsPerMs;
  Completion completion;
  for (;;) {
    const card_link::Take take = port(port_number).take(completion);
    if (take == card_link::Take::kSlot) return completion;
    if (take == card_link::Take::kBroken) return fail(ErrorCode::kCorrupt, "the card broke the protocol");
    const std::uint64_t now_ns = clock_.now_ns();
    if (now_ns >= end_ns) return fail(ErrorCode::kTimeout, "no slot came back within {} ms", timeout_ms);
    if (port(port_number).prepare_to_sleep())
      (void)bells_[port_number].wait(static_cast<std::uint32_t>((end_ns - now_ns) / kNsPerMs + 1));
    port(port_number).awake();
  }
}

Result<void> CardDaemon::check(std::uint32_t slot, const kan::Bundle& bundle, const Loaded& loaded,
                               std::uint32_t events, std::uint32_t first, std::uint32_t port_number) {
  const std::size_t outputs = bundle.model.node_count();
  const kan::GoldenVectors golden = kan::golden_nodes(bundle.golden, bundle.model, bundle.golden.count);
  const auto expected = rows_of(golden.outputs, outputs, golden.count, first, events);
  std::vector<std::vector<std::int16_t>> columns(outputs, std::vector<std::int16_t>(events));
  std::vector<std::int16_t*> pointers;
  for (auto& column : columns) pointers.push_back(column.data());
  kan::unpack_records(loaded.output, port(port_number).output(slot), events, pointers);
  for (std::uint32_t i = 0; i < events; ++i) {
    for (std::size_t k = 0; k < outputs; ++k) {
      if (columns[k][i] == expected[i * outputs + k]) continue;
      return fail(ErrorCode::kCorrupt, "slot {} event {} score {}: {}, expected {}", slot, i, k,
                  columns[k][i], expected[i * outputs + k]);
    }
  }
  return {};
}

Result<SlotStatus> CardDaemon::decide(std::uint64_t load_id, const kan::Bundle& bundle, const Loaded& loaded,
                                      std::uint32_t events, std::uint32_t slot) {
  submit(slot, load_id, bundle, loaded, events);
  const auto completion = wait();
  if (!completion) return tl::unexpected(completion.error());
  if (completion->status != SlotStatus::kDone) return completion->status;
  if (auto right = check(slot, bundle, loaded, events); !right) return tl::unexpected(right.error());
  return completion->status;
}

Result<void> CardDaemon::decide_soon(std::uint64_t load_id, const kan::Bundle& bundle, const Loaded& loaded,
                                     std::uint32_t events) {
  const std::uint64_t end_ns = clock_.now_ns() + CardCaller::kAnswerMs * kNsPerMs;
  for (;;) {
    const auto status = decide(load_id, bundle, loaded, events);
    if (!status) return tl::unexpected(status.error());
    if (*status == SlotStatus::kDone) return {};
    if (clock_.now_ns() > end_ns)
      return fail(ErrorCode::kTimeout, "slots come back with status {}", static_cast<std::uint32_t>(*status));
    std::this_thread::sleep_for(kRetry);
  }
}

}  // namespace kantrig::test
