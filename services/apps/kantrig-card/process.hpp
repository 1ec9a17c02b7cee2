// The process: puts the parts together, starts them in order and ends them in the reverse one.
#pragma once

#include "apps/kantrig-card/options.hpp"

namespace kantrig::card_host {

/// Runs until SIGTERM or SIGINT. Returns an exit code (base/exit_code.hpp); errors are logged.
[[nodiscard]] int run_process(const Options& options);

}  // namespace kantrig::card_host
