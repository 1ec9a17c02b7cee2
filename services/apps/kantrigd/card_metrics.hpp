// CardMetrics: what the daemon knows of its cards, as families of metrics. What a card's own process knows,
// it exports itself (kantrig_card_...); these are kantrig_card_link_...
#pragma once

#include "apps/kantrigd/cards.hpp"
#include "telemetry/metric_writer.hpp"

namespace kantrig::apps {

/// At every scrape; nothing when there are no cards. Threading: the control thread.
void write_card_metrics(const Cards& cards, telemetry::MetricWriter& writer);

}  // namespace kantrig::apps
