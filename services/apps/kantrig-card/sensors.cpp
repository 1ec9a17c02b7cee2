#include "apps/kantrig-card/sensors.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "apps/kantrig-card/xrt/platform.hpp"

namespace kantrig::card_host {
namespace {

using nlohmann::json;

constexpr std::size_t kSensorsMax = 32;

/// XRT writes numbers as text, some without sense ("N/A") where there is no sensor.
std::optional<double> number_at(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return std::nullopt;
  if (at->is_number()) return at->get<double>();
  if (!at->is_string()) return std::nullopt;
  const std::string& text = at->get_ref<const std::string&>();
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_present(const json& entry) {
  const auto at = entry.find("is_present");
  if (at == entry.end()) return true;
  return at->is_boolean() ? at->get<bool>() : *at == "true";
}

void add_temperatures(const json& document, std::vector<card_link::Sensor>& sensors) {
  const auto list = document.find("thermals");
  if (list == document.end() || !list->is_array()) return;
  for (const json& entry : *list) {
    if (sensors.size() >= kSensorsMax) return;
    if (!entry.is_object() || !is_present(entry)) continue;
    const auto place = entry.find("location_id");
    const auto celsius = number_at(entry, "temp_C");
    if (place == entry.end() || !place->is_string() || !celsius) continue;
    sensors.push_back(
        {"temperature_" + platform_named(place->get_ref<const std::string&>()) + "_celsius", *celsius});
  }
}

}  // namespace

std::vector<card_link::Sensor> parse_sensors(const Device::SensorTexts& texts) {
  std::vector<card_link::Sensor> sensors;
  const json thermal = json::parse(texts.thermal, nullptr, /*allow_exceptions=*/false);
  if (thermal.is_object()) add_temperatures(thermal, sensors);
  const json electrical = json::parse(texts.electrical, nullptr, /*allow_exceptions=*/false);
  if (electrical.is_object()) {
    if (const auto watts = number_at(electrical, "power_consumption_watts"))
      sensors.push_back({"power_watts", *watts});
  }
  return sensors;
}

}  // namespace kantrig::card_host
