// The decoder of what kantrigd, operators and kantrig-card send each other.
#include "card_link/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

namespace {

using namespace kantrig::card_link;

/// What the receiver relies on without another look.
void check(const Message& message) {
  if (const auto* hello = std::get_if<Hello>(&message)) {
    if (hello->role == Role::kUnspecified) std::abort();
    if (hello->role == Role::kDaemon && !kantrig::card_link::check(hello->region)) std::abort();
  }
  if (const auto* load = std::get_if<Load>(&message); load != nullptr && load->load_id == 0) std::abort();
  const auto* loaded = std::get_if<Loaded>(&message);
  if (loaded == nullptr || !loaded->error.empty()) return;
  if (!kantrig::kan::check(loaded->input) || !kantrig::kan::check(loaded->output)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMessageBytesMax) return 0;
  const auto message = decode(std::as_bytes(std::span(data, size)));
  if (!message) return 0;
  check(*message);
  const std::string again = encode(*message);
  if (!decode(std::as_bytes(std::span(again)))) std::abort();
  return 0;
}
