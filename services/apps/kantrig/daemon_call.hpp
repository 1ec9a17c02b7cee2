// One request to the daemon and its reply, with errors that say what to do next.
#pragma once

#include <string>

#include "base/result.hpp"
#include "kantrig/v1/control.pb.h"

namespace kantrig::apps {

/// First asks for the status, briefly, so that a daemon that is not there shows at once; then sends `request`
/// and waits as long as a change may take. kBusy: the daemon is there and refused; kTimeout, kIo: it cannot
/// be reached.
[[nodiscard]] Result<v1::ControlReply> call_daemon(const std::string& endpoint, v1::ControlRequest request);

/// Prints what went wrong and returns the exit code for it.
[[nodiscard]] int report_failure(const Error& error, bool json);

}  // namespace kantrig::apps
