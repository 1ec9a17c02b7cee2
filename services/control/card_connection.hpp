// CardConnection: one link to a card's process, from the greeting to whatever ends it. Never used twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/result.hpp"
#include "card_link/messages.hpp"
#include "card_link/packet_socket.hpp"
#include "card_link/port.hpp"
#include "card_link/region.hpp"

namespace kantrig::control {

/// Threading: owned by the thread that runs `io`. Callbacks come from there, none after it is destroyed.
class CardConnection {
 public:
  struct Callbacks {
    std::function<void(const card_link::Message&)> message;
    std::function<void(const Error&)> lost;  // at most once; then nothing more comes
  };
  /// Connects, makes a region and greets. `doorbells`: one a port, which wake the shards. kNotFound when
  /// nobody listens.
  [[nodiscard]] static Result<std::unique_ptr<CardConnection>> open(boost::asio::io_context& io,
                                                                    const std::filesystem::path& socket,
                                                                    const card_link::RegionShape& shape,
                                                                    const std::vector<int>& doorbells,
                                                                    Callbacks callbacks);
  ~CardConnection() { end(); }
  CardConnection(const CardConnection&) = delete;
  CardConnection& operator=(const CardConnection&) = delete;

  [[nodiscard]] Result<void> send(const card_link::Message& message);
  /// No callback comes any more, and the other side sees that we have left.
  void end() noexcept;
  [[nodiscard]] std::unique_ptr<card_link::DaemonPort> make_port(std::uint32_t port) const;
  [[nodiscard]] card_link::RegionHeader& header() const noexcept { return region_->header(); }

 private:
  CardConnection(boost::asio::io_context& io, card_link::PacketSocket socket,
                 std::shared_ptr<card_link::Region> region, card_link::Doorbell card, Callbacks callbacks);
  void wait();
  /// Reads what has come. False when the connection is of no more use.
  [[nodiscard]] bool read();

  std::optional<card_link::PacketSocket> socket_;   // empty: ended
  boost::asio::posix::stream_descriptor readable_;  // the same descriptor; closing it is socket_'s
  std::shared_ptr<card_link::Region> region_;
  std::shared_ptr<const card_link::Doorbell> card_;
  Callbacks callbacks_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // told to what asio still holds
};

}  // namespace kantrig::control
