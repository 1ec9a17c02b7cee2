// kantrig card route: where the daemon sends batches. Unlike its neighbours it asks the daemon, not the card.
#pragma once

#include <CLI/CLI.hpp>

namespace kantrig::apps {

void add_card_route_command(CLI::App& card, int& exit_code);

}  // namespace kantrig::apps
