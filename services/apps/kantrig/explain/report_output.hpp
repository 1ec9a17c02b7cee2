// An EventReport as text, JSON and picture.
#pragma once

#include <string>

#include "apps/kantrig/explain/event_report.hpp"

namespace kantrig::apps {

/// For people. `all_edges`: every edge of every node; otherwise the three that contribute most.
[[nodiscard]] std::string report_text(const EventReport& report, bool all_edges);
/// One JSON object with everything.
[[nodiscard]] std::string report_json(const EventReport& report);
/// SVG: where each feature lies, its effect on every score, and the menu's lines.
[[nodiscard]] std::string report_picture(const EventReport& report);

}  // namespace kantrig::apps
