#include "apps/kantrigd/cards.hpp"

#include <random>

#include <fmt/core.h>

namespace kantrig::apps {
namespace {

constexpr std::uint64_t kNsPerUs = 1'000;
constexpr std::uint64_t kNsPerMs = 1'000'000;

/// Which events are compared, and when a card is tried again, is nobody's to foresee.
std::uint64_t any_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

}  // namespace

Cards::Cards(const settings::Settings& settings) : settings_(settings.card) {
  if (settings.backend.kind != "card") return;
  const auto route = control::parse_route(settings_.route);
  for (std::uint32_t i = 0; i < settings.events.shards; ++i) {
    backend::SeatOptions options;
    options.join_ns = settings_.join_us * kNsPerUs;
    options.deadline_ns = settings_.deadline_us * kNsPerUs;
    options.canary_ns = settings_.canary_ms * kNsPerMs;
    options.cross_check = settings_.cross_check;
    options.seed = any_seed();
    seats_.push_back(std::make_unique<backend::CardSeat>(options));
    if (route) seats_.back()->set_route(*route);
  }
}

std::vector<backend::CardSeat*> Cards::seats() const {
  std::vector<backend::CardSeat*> seats;
  for (const auto& seat : seats_) seats.push_back(seat.get());
  return seats;
}

void Cards::start(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log,
                  const std::vector<pipeline::Shard*>& shards) {
  if (!any()) return;
  cards_.resize(std::min(settings_.sockets.size(), shards.size()));  // a card without a shard is not joined
  for (std::uint32_t i = 0; i < shards.size(); ++i)
    cards_[i % cards_.size()].seats.push_back(
        {.shard = i, .seat = seats_[i].get(), .doorbell = shards[i]->doorbell()});
  for (std::size_t c = 0; c < cards_.size(); ++c) {
    control::CardOptions options;
    options.socket = settings_.sockets[c];
    options.shape = {.ports = static_cast<std::uint32_t>(cards_[c].seats.size()),
                     .slots = settings_.slots,
                     .input_bytes = settings_.slot_bytes,
                     .output_bytes = settings_.slot_bytes};
    options.retry_min_ms = settings_.retry_min_ms;
    options.retry_max_ms = settings_.retry_max_ms;
    options.load_timeout_ms = settings_.load_timeout_ms;
    options.seed = any_seed();
    cards_[c].supervisor =
        std::make_unique<control::CardSupervisor>(io, clock, log, options, cards_[c].seats);
    cards_[c].supervisor->start();
  }
}

void Cards::stop() {
  for (Card& card : cards_) card.supervisor->stop();
}

void Cards::want(const control::Roles& roles) {
  for (Card& card : cards_) card.supervisor->want(roles.active, roles.previous);
}

void Cards::set_route(backend::Route route) {
  for (const auto& seat : seats_) seat->set_route(route);
}

std::vector<control::CardStatus> Cards::status() const {
  std::vector<control::CardStatus> status;
  for (const Card& card : cards_)
    status.push_back(control::card_status(card.supervisor->figures(), card.seats));
  return status;
}

std::string Cards::readiness() const {
  std::string text;
  for (const Card& card : cards_) {
    const control::CardFigures& figures = card.supervisor->figures();
    const bool decides = figures.breaker == control::Breaker::kClosed;
    text += fmt::format(
        "card {}: {}\n", figures.socket,
        decides ? std::string("decides")
                : fmt::format("{} ({}), the CPU decides", control::name_of(figures.breaker), figures.reason));
  }
  return text;
}

}  // namespace kantrig::apps
