#include "apps/kantrig-card/service_manager.hpp"

#include <fmt/core.h>
#include <systemd/sd-daemon.h>

namespace kantrig::card_host {
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

void ServiceManager::stopping() const {
  notify("STOPPING=1\nSTATUS=waiting for runs in flight");
}

void ServiceManager::alive() const {
  notify("WATCHDOG=1");
}

bool ServiceManager::watches() const {
  return sd_watchdog_enabled(/*unset_environment=*/0, nullptr) > 0;
}

}  // namespace kantrig::card_host
