#include "apps/kantrig/card/card_client.hpp"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "base/build_info.hpp"
#include "base/clock.hpp"

namespace kantrig::apps {
namespace {

constexpr const char* kSocketFolder = "/run/kantrig";
constexpr std::uint32_t kAnswerMs = 5'000;

}  // namespace

std::vector<std::filesystem::path> usual_card_sockets() {
  std::vector<std::filesystem::path> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kSocketFolder, error)) {
    if (entry.is_socket(error) && entry.path().filename().native().starts_with("card-"))
      sockets.push_back(entry.path());
  }
  std::ranges::sort(sockets);
  return sockets;
}

Result<CardClient> CardClient::connect_operator(const std::filesystem::path& socket) {
  card_link::Hello hello;
  hello.role = card_link::Role::kOperator;
  return greet(socket, std::move(hello), {});
}

Result<CardClient> CardClient::join(const std::filesystem::path& socket, const card_link::RegionShape& shape,
                                    const std::vector<int>& descriptors) {
  card_link::Hello hello;
  hello.role = card_link::Role::kDaemon;
  hello.region = shape;
  return greet(socket, std::move(hello), descriptors);
}

Result<CardClient> CardClient::greet(const std::filesystem::path& path, card_link::Hello hello,
                                     const std::vector<int>& descriptors) {
  auto socket = card_link::PacketSocket::connect(path);
  if (!socket) return tl::unexpected(socket.error());
  CardClient client(path, std::move(*socket));
  hello.pid = static_cast<std::uint64_t>(::getpid());
  hello.version = base::build_info().version;
  if (auto ok = client.socket_.send(card_link::encode(hello), descriptors); !ok)
    return tl::unexpected(ok.error().within(path.native()));
  auto welcome = client.wait_for<card_link::Welcome>(kAnswerMs);
  if (!welcome) return tl::unexpected(welcome.error());
  client.welcome_ = std::move(*welcome);
  return client;
}

/// The next message of this kind; changes of state in between are passed over.
template <typename Answer>
Result<Answer> CardClient::wait_for(std::uint32_t timeout_ms) {
  const base::SystemClock clock;
  const std::uint64_t deadline = clock.now_ns() + std::uint64_t{timeout_ms} * 1'000'000;
  while (true) {
    auto packet = socket_.receive();
    if (!packet) return tl::unexpected(packet.error().within(path_.native()));
    if (*packet) {
      auto message = card_link::decode(std::as_bytes(std::span((*packet)->bytes)));
      if (!message) return tl::unexpected(message.error().within(path_.native()));
      if (auto* const answer = std::get_if<Answer>(&*message)) return std::move(*answer);
      if (const auto* const refusal = std::get_if<card_link::Refusal>(&*message))
        return fail(ErrorCode::kBusy, "{}: {}", path_.native(), refusal->error);
      continue;
    }
    const std::uint64_t now = clock.now_ns();
    if (now >= deadline)
      return fail(ErrorCode::kTimeout, "{}: no answer in {} ms: is kantrig-card stuck? Its log says",
                  path_.native(), timeout_ms);
    (void)socket_.wait(static_cast<std::uint32_t>((deadline - now) / 1'000'000 + 1));
  }
}

template <typename Answer>
Result<Answer> CardClient::ask(const card_link::Message& question, std::uint32_t timeout_ms) {
  if (auto ok = socket_.send(card_link::encode(question)); !ok)
    return tl::unexpected(ok.error().within(path_.native()));
  return wait_for<Answer>(timeout_ms);
}

Result<card_link::Status> CardClient::status() {
  return ask<card_link::Status>(card_link::StatusRequest{}, kAnswerMs);
}

Result<card_link::CommandDone> CardClient::command(const card_link::Command& command,
                                                   std::uint32_t timeout_ms) {
  return ask<card_link::CommandDone>(command, timeout_ms);
}

Result<card_link::Loaded> CardClient::load(const card_link::Load& load, std::uint32_t timeout_ms) {
  return ask<card_link::Loaded>(load, timeout_ms);
}

}  // namespace kantrig::apps
