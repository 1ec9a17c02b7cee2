#include "support/test_card_process.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace kantrig::test {
namespace {

using card_link::CardState;

constexpr int kNapMs = 2;

}  // namespace

TestCardProcess::TestCardProcess(std::filesystem::path socket) : socket_(std::move(socket)) {}
TestCardProcess::~TestCardProcess() {
  kill();
}

void TestCardProcess::add_bundle(const std::string& folder, const kan::Model& model) {
  const std::scoped_lock lock(mutex_);
  bundles_[folder] = model;
}

void TestCardProcess::start() {
  stop_ = false;
  listener_.emplace(card_link::Listener::open(socket_).value());
  thread_ = std::thread([this] { run(); });
}

void TestCardProcess::kill() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  link_.reset();
  listener_.reset();
  for (const std::uint64_t id : std::exchange(loaded_, {})) card_.unload(id);
}

void TestCardProcess::run() {
  while (!stop_) {
    std::vector<pollfd> waits{{listener_->fd(), POLLIN, 0}};
    if (link_) waits.push_back({link_->socket.fd(), POLLIN, 0});
    if (link_ && link_->bell) waits.push_back({link_->bell->fd(), POLLIN, 0});
    ::poll(waits.data(), waits.size(), kNapMs);
    if (hung_) continue;
    accept();
    if (link_ && !read()) link_.reset();
    if (told_present_ != present_) tell_state();
    if (link_ && link_->region) serve();
  }
}

void TestCardProcess::serve() {
  link_->bell->drain();
  card_link::card_awake(*link_->region);
  link_->region->header().card_beat.fetch_add(1);
  if (present_) {
    for (std::uint32_t i = 0; i < link_->ports.size(); ++i)
      slots_ += card_.serve(*link_->region, i, *link_->ports[i], base::SystemClock().now_ns());
  }
  card_link::prepare_card_to_sleep(*link_->region);
}

void TestCardProcess::accept() {
  auto next = listener_->accept();
  if (!next || !*next) return;
  for (const std::uint64_t id : std::exchange(loaded_, {})) card_.unload(id);
  link_.emplace(Link{.socket = std::move(**next), .region = nullptr, .bell = std::nullopt, .ports = {}});
}

/// False when the link is over.
bool TestCardProcess::read() {
  while (true) {
    auto packet = link_->socket.receive();
    if (!packet) return false;
    if (!*packet) return true;
    const auto message = card_link::decode(std::as_bytes(std::span((*packet)->bytes)));
    if (!message) return false;
    if (const auto* hello = std::get_if<card_link::Hello>(&*message)) {
      if (garbage_) return link_->socket.send("\xFF\xFFgarbage").has_value();
      if (refusing_)
        return link_->socket.send(encode(card_link::Refusal{"another daemon has it"})).has_value();
      greet(*hello, **packet);
    }
    if (const auto* order = std::get_if<card_link::Load>(&*message)) load(*order);
  }
}

void TestCardProcess::greet(const card_link::Hello& hello, card_link::Packet& packet) {
  link_->region = card_link::Region::map(packet.descriptors.at(0).release(), hello.region).value();
  link_->bell = card_link::Doorbell::adopt(packet.descriptors.at(1).release()).value();
  for (std::uint32_t i = 0; i < hello.region.ports; ++i) {
    auto bell = card_link::Doorbell::adopt(packet.descriptors.at(2 + i).release()).value();
    link_->ports.push_back(std::make_unique<card_link::CardPort>(link_->region, i, std::move(bell)));
  }
  ++joins_;
  told_present_ = present_;
  (void)link_->socket.send(encode(card_link::Welcome{
      .pid = 1, .version = "test", .device = "0000:03:00.1", .platform = "test", .state = state()}));
}

card_link::StateChange TestCardProcess::state() const {
  if (!present_) return {CardState::kRecovering, "the device is gone", {}};
  return {loaded_.empty() ? CardState::kIdle : CardState::kReady, "", loaded_};
}

void TestCardProcess::tell_state() {
  told_present_ = present_;
  if (link_ && link_->region) (void)link_->socket.send(encode(state()));
}

void TestCardProcess::load(const card_link::Load& order) {
  ++loads_;
  if (order.load_id <= highest_load_id_) ++repeated_load_ids_;
  highest_load_id_ = std::max(highest_load_id_, order.load_id);
  if (swallowing_) return;
  card_link::Loaded answer;
  answer.load_id = order.load_id;
  {
    const std::scoped_lock lock(mutex_);
    last_keep_ = order.keep;
    const auto bundle = bundles_.find(order.folder);
    if (!present_) {
      answer.error = "the card is not there";
    } else if (bundle == bundles_.end()) {
      answer.error = "bundle " + order.folder + ": no image for platform test";
    } else {
      const kan::Model& model = bundle->second;
      while (loaded_.size() >= room_) {
        const auto kept = [&](std::uint64_t id) {
          return std::ranges::find(order.keep, id) != order.keep.end();
        };
        auto victim = std::ranges::find_if_not(loaded_, kept);
        if (victim == loaded_.end()) victim = loaded_.begin();
        card_.unload(*victim);
        loaded_.erase(victim);
      }
      answer.kind = card_link::LoadKind::kTables;
      answer.input = dense_input(model);
      answer.output = dense_output(model);
      card_.load(order.load_id, model, answer.input, answer.output);
      loaded_.push_back(order.load_id);
      if (wrong_layout_) answer.input.fields.pop_back();
    }
  }
  tell_state();
  (void)link_->socket.send(encode(answer));
}

}  // namespace kantrig::test
