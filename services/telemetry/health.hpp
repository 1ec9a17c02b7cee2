// Health: the pages of a daemon: /metrics, /healthz, /readyz and an index.
#pragma once

#include <functional>
#include <string>

#include "telemetry/exposer.hpp"
#include "telemetry/http_server.hpp"

namespace kantrig::telemetry {

/// What a check found.
struct Health {
  bool ok = true;
  std::string text;  // when not ok the reasons, one a line; when ok what ?verbose adds
};

struct HealthChecks {
  std::function<Health()>
      live;  // the pipeline advances or is provably idle. Must not depend on what is being loaded.
  std::function<Health()> ready;  // events are taken and decided; not while starting or draining
};

/// Adds to `server`:
///   /metrics  the page of `exposer`
///   /healthz  200 when live, else 503 and the reasons. ?verbose: the text when live, too
///   /readyz   the same for ready
///   /         links to these
/// `exposer` must outlive `server`.
void add_pages(HttpServer& server, const Exposer& exposer, HealthChecks checks);

}  // namespace kantrig::telemetry
