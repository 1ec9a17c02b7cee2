// CardClient: what the commands say to a kantrig-card over its socket, as an operator or as a daemon.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "card_link/messages.hpp"
#include "card_link/packet_socket.hpp"

namespace kantrig::apps {

/// Where kantrig-card listens when nothing else is said: the sockets in /run/kantrig that are called card-*.
[[nodiscard]] std::vector<std::filesystem::path> usual_card_sockets();

/// One connection. Errors name the socket and what to do.
class CardClient {
 public:
  [[nodiscard]] static Result<CardClient> connect_operator(const std::filesystem::path& socket);
  /// Brings the region and its doorbells, as kantrigd does; kBusy when a daemon has joined already.
  [[nodiscard]] static Result<CardClient> join(const std::filesystem::path& socket,
                                               const card_link::RegionShape& shape,
                                               const std::vector<int>& descriptors);

  [[nodiscard]] const card_link::Welcome& welcome() const noexcept { return welcome_; }
  [[nodiscard]] Result<card_link::Status> status();
  /// Test, reset or measure; waits at most `timeout_ms` for the end of it.
  [[nodiscard]] Result<card_link::CommandDone> command(const card_link::Command& command,
                                                       std::uint32_t timeout_ms);
  [[nodiscard]] Result<card_link::Loaded> load(const card_link::Load& load, std::uint32_t timeout_ms);

 private:
  CardClient(std::filesystem::path path, card_link::PacketSocket socket)
      : path_(std::move(path)), socket_(std::move(socket)) {}
  [[nodiscard]] static Result<CardClient> greet(const std::filesystem::path& path, card_link::Hello hello,
                                                const std::vector<int>& descriptors);
  template <typename Answer>
  [[nodiscard]] Result<Answer> wait_for(std::uint32_t timeout_ms);
  template <typename Answer>
  [[nodiscard]] Result<Answer> ask(const card_link::Message& question, std::uint32_t timeout_ms);

  std::filesystem::path path_;
  card_link::PacketSocket socket_;
  card_link::Welcome welcome_;
};

}  // namespace kantrig::apps
