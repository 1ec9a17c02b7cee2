// Result<T>: how a function says that something outside (a file, a bundle, a request, a device) failed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <tl/expected.hpp>

namespace kantrig {

enum class ErrorCode : std::uint8_t {
  kInvalid,      // the input breaks a rule
  kNotFound,     // no such file, model, line, ...
  kCorrupt,      // a digest, size or golden vector disagrees
  kIo,           // the operating system said no
  kBusy,         // taken or in the wrong state; may work later
  kUnsupported,  // understood, but not by this build, machine or model
  kTimeout,
};

/// What failed, for a person: what was being done, with which name, and what was expected.
struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;

  /// The same error, told from further out: "<context>: <message>".
  [[nodiscard]] Error within(std::string_view context) const {
    return {code, fmt::format("{}: {}", context, message)};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

/// return fail(ErrorCode::kInvalid, "{}: expected {} bytes", name, n);
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace kantrig
