#include "apps/kantrig/card/card_route.hpp"

#include <memory>
#include <string>

#include "apps/kantrig/control_options.hpp"
#include "apps/kantrig/daemon_call.hpp"
#include "apps/kantrig/print.hpp"

namespace kantrig::apps {
namespace {

struct RouteOptions {
  ControlOptions control;
  std::string route;  // empty: only ask
};

int choose_route(const RouteOptions& options) {
  v1::ControlRequest request;
  request.mutable_card_route()->set_route(options.route);
  const auto reply = call_daemon(options.control.endpoint, request);
  if (!reply) return report_failure(reply.error(), options.control.json);
  if (options.control.json) return print_json(reply->cards());
  std::string text;
  for (const v1::CardLinkStatus& card : reply->cards().cards()) text += card_link_text(card);
  return print_text(text);
}

}  // namespace

void add_card_route_command(CLI::App& card, int& exit_code) {
  const auto options = std::make_shared<RouteOptions>();
  CLI::App* const command =
      card.add_subcommand("route", "Choose where the daemon sends batches while a card is ready, or see it");
  add_control_options(*command, options->control);
  command->add_option("route", options->route, "auto: by measured cost; cpu; card: whatever it can take")
      ->type_name("ROUTE")
      ->check(CLI::IsMember({"auto", "cpu", "card"}));
  command->footer(
      R"(Decisions have the same bits either way; every answer says who decided. The choice lasts until the daemon ends or
card.route changes in its configuration.

Examples:
  kantrig card route            # where they go now
  kantrig card route cpu        # gives the card a rest)");
  command->callback([options, &exit_code] { exit_code = choose_route(*options); });
}

}  // namespace kantrig::apps
