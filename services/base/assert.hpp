// KANTRIG_ASSERT: a broken precondition or invariant of ours. Never on what a peer, a file or a device can
// cause.
#pragma once

namespace kantrig::base {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace kantrig::base

#define KANTRIG_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::kantrig::base::assertion_failed(#expression, __FILE__, __LINE__))
