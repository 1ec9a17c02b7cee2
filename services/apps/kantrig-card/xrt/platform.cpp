#include "apps/kantrig-card/xrt/platform.hpp"

namespace kantrig::card_host {
namespace {

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string platform_named(std::string_view device) {
  static constexpr std::string_view kShell = "_shell";
  static constexpr std::string_view kOurs = "kantrig_";
  std::string name;
  for (const char c : device) name.push_back(is_letter_or_digit(c) ? c : '_');
  if (const auto at = name.find(kShell); at != std::string::npos) name.erase(at, kShell.size());
  if (name.starts_with(kOurs)) name.erase(0, kOurs.size());
  return name;
}

bool same_platform(std::string_view a, std::string_view b) {
  return platform_named(a) == platform_named(b);
}

}  // namespace kantrig::card_host
