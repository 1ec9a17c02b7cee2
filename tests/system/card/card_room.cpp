#include "system/card/card_room.hpp"

#include <fmt/core.h>

#include <chrono>
#include <thread>
#include <utility>

#include "support/command.hpp"

namespace kantrig::test {
namespace {

constexpr std::size_t kLogTailBytes = 6'000;
constexpr int kLookAgainMs = 5;

std::filesystem::path emulated_root() {
  return std::filesystem::path(KANTRIG_BINARY_DIR) / "emulated-card";
}

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

/// The card's folder is made beside the daemon's, before the daemon is: its settings name the socket.
std::filesystem::path new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "kantrig-card-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return {};
  return name;
}

}  // namespace

bool has_emulated_card() {
  std::error_code ignored;
  return std::filesystem::exists(program("kantrig-card"), ignored) &&
         std::filesystem::exists(emulated_root() / "lib" / "libxrt_core.so.2", ignored) &&
         has_program("verilator");
}

CardProcess::CardProcess(std::filesystem::path folder, std::vector<std::string> options)
    : folder_(std::move(folder)), options_(std::move(options)), child_(folder_ / "kantrig-card.log") {}

Result<void> CardProcess::start() {
  std::vector<std::string> words{program("kantrig-card").string(),
                                 "--device",
                                 "0",
                                 "--platform",
                                 "emulated",
                                 "--socket",
                                 socket().string(),
                                 "--retry-min-ms",
                                 "20",
                                 "--retry-max-ms",
                                 "200",
                                 "--reset-command",
                                 fmt::format("{} --dir {} reset", program("kantrig-emulated-card").string(),
                                             (folder_ / "emulated").string())};
  words.insert(words.end(), options_.begin(), options_.end());
  return child_.start(std::move(words), {"XILINX_XRT=" + emulated_root().string(),
                                         "KANTRIG_EMULATED_CARD=" + (folder_ / "emulated").string()});
}

Result<std::string> CardProcess::emulated(const std::string& command) const {
  const CommandOutcome outcome =
      run_command(fmt::format("{} --dir {} {} 2>&1", program("kantrig-emulated-card").string(),
                              (folder_ / "emulated").string(), command));
  if (outcome.exit_code == 0) return outcome.output;
  return fail(ErrorCode::kIo, "kantrig-emulated-card {}: exit code {}: {}", command, outcome.exit_code,
              outcome.output);
}

CardRoom::CardRoom(const std::vector<std::string>& daemon_settings, std::vector<std::string> card_options)
    : folder_(new_folder()),
      daemon_(with_card(daemon_settings, folder_ / "card.sock")),
      card_(folder_, std::move(card_options)) {
  std::filesystem::create_directories(folder_ / "emulated");
}

CardRoom::~CardRoom() {
  card_.child().kill();
  daemon_.kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
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

std::string CardRoom::logs() const {
  return fmt::format("--- kantrigd\n{}\n--- kantrig-card\n{}", tail(daemon_.log()),
                     tail(card_.child().log()));
}

}  // namespace kantrig::test
