// Bounds what protobuf bytes can make a parser allocate, by reading their tags before they are parsed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace google::protobuf {
class Descriptor;
}

namespace kantrig::kan {

/// How often each repeated message field may occur in the message that holds it.
inline constexpr std::uint32_t kRepeatedMessagesMax = 4096;

/// Fails unless every field in `bytes` is one that `type` and its message fields know, and no message holds
/// more than kRepeatedMessagesMax of one field. What passes parses into memory of a few times its own size.
[[nodiscard]] Result<void> scan_wire(std::string_view bytes, const google::protobuf::Descriptor& type);

}  // namespace kantrig::kan
