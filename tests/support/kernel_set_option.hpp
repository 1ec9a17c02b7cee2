// The kernel set that a contract test was asked to run, from its command line.
#pragma once

#include <string_view>

namespace kantrig::test {
[[nodiscard]] std::string_view kernel_set_option();
}  // namespace kantrig::test
