// From the daemon's settings to the options of the libraries that it is made of.
#pragma once

#include <cstdint>
#include <string>

#include "apps/kantrigd/cards.hpp"
#include "base/log.hpp"
#include "control/options.hpp"
#include "pipeline/shard.hpp"
#include "settings/settings.hpp"

namespace kantrig::apps {

[[nodiscard]] base::LogLevel log_level(const std::string& name);
/// Precondition: settings::check() passed and index < events.shards.
[[nodiscard]] pipeline::ShardOptions shard_options(const settings::Settings& settings, const Cards& cards,
                                                   std::uint32_t index);
[[nodiscard]] control::RegistryOptions registry_options(const settings::Settings& settings,
                                                        const Cards& cards);
[[nodiscard]] control::ControllerOptions controller_options(const settings::Settings& settings);

}  // namespace kantrig::apps
