#include "system/card/card_room.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace kantrig::test {
namespace {

constexpr std::size_t kLogTailBytes = 6'000;
constexpr int kLookAgainMs = 5;

std::string tail(const std::string& text) {
  return text.size() <= kLogTailBytes ? text : text.substr(text.size() - kLogTailBytes);
}

std::vector<std::string> with_card(const std::vector<std::string>& settings,
                                   const std::filesystem::path& socket) {
  std::vector<std::string> all{"backend.kind=card", "card.sockets=[\"" + socket.string() + "\"]",
                               "card.route=card", "card.retry_min_ms=20", "card.retry_max_ms=200"};
  all.insert(all.end(), settings.begin(), settings.end());
  return all;
}

}  // namespace

CardRoom::CardRoom(const std::vector<std::string>& daemon_settings, std::vector<std::string> card_options)
    : card_options_(std::move(card_options)), daemon_(with_card(daemon_settings, card_.socket())) {
  card_options_.insert(
      card_options_.end(),
      {"--reset-command", fmt::format("{} --dir {} reset", program("kantrig-emulated-card").string(),
                                      emulated_.folder().string())});
}

Result<void> CardRoom::start_card() {
  return card_.start(card_options_);
}

Result<v1::CardLinkStatus> CardRoom::card_status() {
  const auto status = daemon_.status();
  if (!status) return tl::unexpected(status.error());
  if (status->cards_size() != 1)
    return fail(ErrorCode::kInvalid, "{} cards, expected 1", status->cards_size());
  return status->cards(0);
}

Result<v1::CardLinkStatus> CardRoom::wait_for(const std::string& what,
                                              const std::function<bool(const v1::CardLinkStatus&)>& ready,
                                              int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  std::string last = "no status";
  while (std::chrono::steady_clock::now() < deadline) {
    const auto status = card_status();
    if (status && ready(*status)) return *status;
    last = status ? status->ShortDebugString() : status.error().message;
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookAgainMs));  // between two questions
  }
  return fail(ErrorCode::kTimeout, "not {} within {} ms: {}\n{}", what, timeout_ms, last, logs());
}

Result<void> CardRoom::wait_for_traffic(std::uint64_t events) {
  const auto closed = wait_for("closed", [](const v1::CardLinkStatus& s) { return s.breaker() == "closed"; });
  if (!closed) return tl::unexpected(closed.error());
  const std::uint64_t target = closed->events() + events;
  const auto done = wait_for("deciding", [&](const v1::CardLinkStatus& s) { return s.events() >= target; });
  if (!done) return tl::unexpected(done.error());
  return {};
}

std::string CardRoom::logs() {
  return fmt::format("--- kantrigd\n{}\n--- kantrig-card\n{}", tail(daemon_.log()), tail(card().log()));
}

void CardRoom::expect_clean_end() {
  EXPECT_EQ(daemon_.terminate(), 0);
  EXPECT_EQ(card_.stop(), 0);
  for (const std::string& log : {daemon_.log(), card().log()})
    EXPECT_EQ(log.find("Sanitizer"), std::string::npos)
        << log.substr(std::min(log.size(), log.find("Sanitizer")));
}

}  // namespace kantrig::test
