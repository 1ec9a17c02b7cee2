#include "apps/kantrig/daemon_call.hpp"

#include <fmt/core.h>

#include <cstdio>

#include "apps/kantrig/print.hpp"
#include "base/exit_code.hpp"
#include "wire/control_channel.hpp"
#include "wire/messages.hpp"

namespace kantrig::apps {
namespace {

constexpr std::uint32_t kGreetTimeoutMs = 2'000;
constexpr std::uint32_t kChangeTimeoutMs =
    120'000;  // the end of a run waits for its clients; a model is verified

Result<v1::ControlReply> ask(wire::ControlClient& client, const v1::ControlRequest& request,
                             std::uint32_t timeout_ms) {
  const auto bytes = client.request(request.SerializeAsString(), timeout_ms);
  if (!bytes) return tl::unexpected(bytes.error());
  v1::ControlReply reply;
  if (!reply.ParseFromString(*bytes)) return fail(ErrorCode::kCorrupt, "the reply is no ControlReply");
  if (reply.protocol_version() != wire::kProtocol) {
    return fail(ErrorCode::kUnsupported,
                "the daemon speaks protocol {}, this program {}: use the kantrig of its installation",
                reply.protocol_version(), wire::kProtocol);
  }
  if (!reply.error().empty()) return fail(ErrorCode::kBusy, "{}", reply.error());
  return reply;
}

}  // namespace

Result<v1::ControlReply> call_daemon(const std::string& endpoint, v1::ControlRequest request) {
  request.set_protocol_version(wire::kProtocol);
  auto context = wire::Context::create(1);
  if (!context) return tl::unexpected(context.error());
  wire::ControlClient client(*context, endpoint);

  v1::ControlRequest greeting;
  greeting.set_protocol_version(wire::kProtocol);
  greeting.mutable_status();
  auto status = ask(client, greeting, kGreetTimeoutMs);
  if (!status) {
    const ErrorCode code = status.error().code;
    if (code == ErrorCode::kIo) return fail(code, "{} systemctl status kantrigd", status.error().message);
    if (code != ErrorCode::kTimeout) return status;
    return fail(code, "no answer from {} within {} s: is kantrigd running? systemctl status kantrigd",
                endpoint, kGreetTimeoutMs / 1000);
  }
  if (request.has_status()) return status;
  auto reply = ask(client, request, kChangeTimeoutMs);
  if (!reply && reply.error().code == ErrorCode::kTimeout) {
    return fail(ErrorCode::kTimeout,
                "{} answered, but did not finish this within {} s; kantrig status shows what is on", endpoint,
                kChangeTimeoutMs / 1000);
  }
  return reply;
}

int report_failure(const Error& error, bool json) {
  if (json) {
    v1::ControlReply reply;
    reply.set_protocol_version(wire::kProtocol);
    reply.set_error(error.message);
    static_cast<void>(print_json(reply));
  }
  fmt::print(stderr, "kantrig: {}\n", error.message);
  return base::kExitUnavailable;
}

}  // namespace kantrig::apps
