// kantrig card: the cards of this machine, each behind the socket of its kantrig-card.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/kantrig/card/card_client.hpp"
#include "apps/kantrig/card/card_route.hpp"
#include "apps/kantrig/card/card_text.hpp"
#include "apps/kantrig/commands.hpp"
#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"

namespace kantrig::apps {
namespace {

constexpr std::uint32_t kTestMs = 60'000;
constexpr std::uint32_t kResetMs = 120'000;  // a reset, another xclbin and the golden vectors

struct CardOptions {
  std::vector<std::string> sockets;  // empty: all usual ones
  bool json = false;
};

int failed(const Error& error) {
  fmt::print(stderr, "kantrig: {}\n", error.message);
  return base::kExitUnavailable;
}

Result<std::vector<std::filesystem::path>> sockets_of(const CardOptions& options) {
  std::vector<std::filesystem::path> sockets(options.sockets.begin(), options.sockets.end());
  if (sockets.empty()) sockets = usual_card_sockets();
  if (sockets.empty())
    return fail(
        ErrorCode::kNotFound,
        "no card's socket in /run/kantrig: start one with systemctl start kantrig-card@PCI-ADDRESS, or name "
        "it with --socket");
  return sockets;
}

Result<std::filesystem::path> one_socket(const CardOptions& options) {
  const auto sockets = sockets_of(options);
  if (!sockets) return tl::unexpected(sockets.error());
  if (sockets->size() == 1) return sockets->front();
  return fail(ErrorCode::kInvalid,
              "there are {} cards: name one with --socket (kantrig card list shows them)", sockets->size());
}

CardEntry look_at(const std::filesystem::path& socket) {
  CardEntry entry;
  entry.socket = socket;
  auto client = CardClient::connect_operator(socket);
  if (client) {
    auto status = client->status();
    if (status) {
      entry.status = std::move(*status);
    } else {
      entry.error = status.error().message;
    }
  } else {
    entry.error = client.error().message;
  }
  return entry;
}

int show(const CardOptions& options, bool whole) {
  const auto sockets = sockets_of(options);
  if (!sockets) return failed(sockets.error());
  std::vector<CardEntry> cards;
  bool all_answered = true;
  for (const auto& socket : *sockets) {
    cards.push_back(look_at(socket));
    all_answered = all_answered && cards.back().error.empty();
  }
  std::string text;
  if (options.json) {
    text = cards_json(cards);
  } else if (!whole) {
    text = cards_text(cards);
  } else {
    for (const CardEntry& card : cards) {
      if (!text.empty()) text += '\n';
      text += card.error.empty() ? card_text(card) : card.error + '\n';
    }
  }
  const int printed = print_text(text);
  if (printed != base::kExitOk) return printed;
  return all_answered ? base::kExitOk : base::kExitUnavailable;
}

int command(const CardOptions& options, card_link::Verb verb, std::uint32_t timeout_ms) {
  const auto socket = one_socket(options);
  if (!socket) return failed(socket.error());
  auto client = CardClient::connect_operator(*socket);
  if (!client) return failed(client.error());
  const auto done = client->command({.verb = verb}, timeout_ms);
  if (!done) return failed(done.error());
  if (options.json) {
    const nlohmann::ordered_json json{{"socket", socket->native()},
                                      {"ok", done->error.empty()},
                                      {"error", done->error},
                                      {"text", done->text}};
    const int printed = print_text(json.dump(2) + '\n');
    if (printed != base::kExitOk) return printed;
  } else if (done->error.empty()) {
    const int printed = print_text(done->text.ends_with('\n') ? done->text : done->text + '\n');
    if (printed != base::kExitOk) return printed;
  } else {
    fmt::print(stderr, "kantrig: {}: {}\n", socket->native(), done->error);
  }
  return done->error.empty() ? base::kExitOk : base::kExitFailed;
}

CLI::App* add(CLI::App& card, const char* name, const char* description,
              const std::shared_ptr<CardOptions>& options) {
  CLI::App* const command = card.add_subcommand(name, description);
  command
      ->add_option("--socket", options->sockets,
                   "Where a kantrig-card listens (default: every card-* in /run/kantrig)")
      ->type_name("PATH");
  command->add_flag("--json", options->json, "Print JSON for scripts");
  return command;
}

}  // namespace

void add_card_command(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<CardOptions>();
  CLI::App* const card = app.add_subcommand("card", "List, look at, test, reset and route FPGA cards");
  card->require_subcommand(1);
  card->footer(
      R"(A card is owned by one kantrig-card process, which is asked over its socket; no daemon need run, but for route. Whatever
happens to a card, the daemon decides on its CPU meanwhile, with the same bits.

Examples:
  kantrig card list
  kantrig card status --socket /run/kantrig/card-0000:03:00.1
  kantrig card test                  # golden vectors, through the card
  kantrig card reset                 # then it is loaded and proved again
  kantrig card route cpu             # the daemon leaves its cards alone)");
  CLI::App* const list = add(*card, "list", "One line a card", options);
  list->callback([options, &exit_code] { exit_code = show(*options, false); });
  CLI::App* const status = add(*card, "status", "Everything that is known of a card", options);
  status->callback([options, &exit_code] { exit_code = show(*options, true); });
  CLI::App* const test = add(
      *card, "test", "Replay the golden vectors of what is loaded; exit code 1 when they differ", options);
  test->callback([options, &exit_code] { exit_code = command(*options, card_link::Verb::kTest, kTestMs); });
  CLI::App* const reset = add(*card, "reset", "Reset the device, load it again and prove it", options);
  reset->callback(
      [options, &exit_code] { exit_code = command(*options, card_link::Verb::kReset, kResetMs); });
  add_card_route_command(*card, exit_code);
}

}  // namespace kantrig::apps
