// Sensors: numbers out of the JSON texts that XRT gives for temperature and power.
#pragma once

#include <vector>

#include "apps/kantrig-card/xrt/device.hpp"
#include "card_link/messages.hpp"

namespace kantrig::card_host {

/// temperature_<place>_celsius and power_watts, as far as the texts hold them; whatever else they hold is
/// passed over. Bounded.
[[nodiscard]] std::vector<card_link::Sensor> parse_sensors(const Device::SensorTexts& texts);

}  // namespace kantrig::card_host
