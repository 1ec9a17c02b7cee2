#include "apps/kantrig-card/sensors.hpp"

#include <gtest/gtest.h>

namespace kantrig::card_host {
namespace {

TEST(Sensors, ReadsTemperaturesAndPowerAsXrtWritesThem) {
  const auto sensors = parse_sensors(
      {R"({"thermals": [{"location_id": "fpga0", "description": "FPGA", "temp_C": "54", "is_present": "true"},
                        {"location_id": "cage-temp-0", "temp_C": "N/A", "is_present": "true"},
                        {"location_id": "pcb", "temp_C": "0", "is_present": "false"}]})",
       R"({"power_consumption_max_watts": "225", "power_consumption_watts": "31.5", "power_rails": []})"});
  ASSERT_EQ(sensors.size(), 2U);
  EXPECT_EQ(sensors[0].name, "temperature_fpga0_celsius");
  EXPECT_EQ(sensors[0].value, 54.0);
  EXPECT_EQ(sensors[1].name, "power_watts");
  EXPECT_EQ(sensors[1].value, 31.5);
}

TEST(Sensors, AreNoneWhereAShellOffersNone) {
  EXPECT_TRUE(parse_sensors({"", ""}).empty());
  EXPECT_TRUE(parse_sensors({R"({"thermals": [{"error_msg": "not supported"}]})",
                             R"({"electrical": {"error_msg": "not supported"}})"})
                  .empty());
}

TEST(Sensors, SurviveTextsThatAreNoJsonOrOfAnotherShape) {
  for (const char* text : {"{", "[]", "1", R"({"thermals": 3})", R"({"thermals": [1, null, "x"]})",
                           R"({"power_consumption_watts": {}})"}) {
    EXPECT_TRUE(parse_sensors({text, text}).empty()) << text;
  }
}

}  // namespace
}  // namespace kantrig::card_host
