// What an operator can choose.
#pragma once

#include <cstdint>
#include <string>

namespace kantrig::card_host {

struct Options {
  std::string device;  // PCI address or index
  std::string socket;
  std::string platform;  // empty: as the device's name says
  std::string metrics;   // ADDRESS:PORT; empty: no page
  std::string completion = "interrupt";
  std::uint32_t deadline_ms = 1'000;  // of a run
  std::uint32_t in_flight = 64;       // slots on their way, 1..128
  std::uint32_t spin_us = 0;          // of the taking thread, before it sleeps
  std::uint32_t load_limit_ms = 60'000;
  std::uint32_t call_limit_ms = 20'000;
  std::uint32_t retry_min_ms = 250;
  std::uint32_t retry_max_ms = 30'000;
  std::string reset_command;  // empty: the device is never reset
  std::string log_level = "info";
};

inline constexpr std::uint32_t kInFlightMax = 128;

}  // namespace kantrig::card_host
