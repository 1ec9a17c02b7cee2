// UTF-8: Prometheus refuses a whole page for one bad byte in a label.
#pragma once

#include <string>
#include <string_view>

namespace kantrig::telemetry {

/// `text`, with "?" for every byte that does not belong to a well-formed character (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace kantrig::telemetry
