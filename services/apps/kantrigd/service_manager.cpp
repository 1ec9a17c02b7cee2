#include "apps/kantrigd/service_manager.hpp"

#include <fmt/core.h>
#include <systemd/sd-daemon.h>

namespace kantrig::apps {
namespace {

void notify(const std::string& message) {
  sd_notify(/*unset_environment=*/0, message.c_str());
}

}  // namespace

void ServiceManager::ready(std::string_view status) const {
  notify(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::status(std::string_view text) const {
  notify(fmt::format("STATUS={}", text));
}

void ServiceManager::reloading(std::uint64_t monotonic_ns) const {
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_ns / 1'000));
}

void ServiceManager::stopping(std::string_view status) const {
  notify(fmt::format("STOPPING=1\nSTATUS={}", status));
}

void ServiceManager::extend_timeout(std::uint64_t timeout_ms) const {
  notify(fmt::format("EXTEND_TIMEOUT_USEC={}", timeout_ms * 1'000));
}

void ServiceManager::alive() const {
  notify("WATCHDOG=1");
}

std::uint64_t ServiceManager::watchdog_interval_ms() const {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &interval_us) <= 0) return 0;
  return interval_us / 2'000;
}

}  // namespace kantrig::apps
