#include "service/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <string>

namespace kantrig::service {
namespace {

void notify(const std::string& message) {
  sd_notify(/*unset_environment=*/0, message.c_str());
}

}  // namespace

void ServiceManager::ready(std::string_view status) const {
  notify("READY=1\nSTATUS=" + std::string(status));
}

void ServiceManager::status(std::string_view text) const {
  notify("STATUS=" + std::string(text));
}

void ServiceManager::reloading(std::uint64_t monotonic_ns) const {
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_ns / 1'000));
}

void ServiceManager::stopping(std::string_view status) const {
  notify("STOPPING=1\nSTATUS=" + std::string(status));
}

void ServiceManager::extend_timeout(std::uint64_t timeout_ms) const {
  notify("EXTEND_TIMEOUT_USEC=" + std::to_string(timeout_ms * 1'000));
}

void ServiceManager::alive() const {
  notify("WATCHDOG=1");
}

std::uint64_t ServiceManager::watchdog_interval_ms() const {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &interval_us) <= 0) return 0;
  return interval_us / 2'000;
}

}  // namespace kantrig::service
