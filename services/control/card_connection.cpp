#include "control/card_connection.hpp"

#include <unistd.h>

#include <span>
#include <utility>

#include "base/build_info.hpp"

namespace kantrig::control {
namespace {

constexpr int kPacketsAtOnce = 16;

}  // namespace

Result<std::unique_ptr<CardConnection>> CardConnection::open(boost::asio::io_context& io,
                                                             const std::filesystem::path& socket,
                                                             const card_link::RegionShape& shape,
                                                             const std::vector<int>& doorbells,
                                                             Callbacks callbacks) {
  auto connected = card_link::PacketSocket::connect(socket);
  if (!connected) return tl::unexpected(connected.error());
  auto region = card_link::Region::create(shape);
  if (!region) return tl::unexpected(region.error());
  auto card = card_link::Doorbell::create();
  if (!card) return tl::unexpected(card.error());
  std::vector<int> descriptors{(*region)->fd(), card->fd()};
  descriptors.insert(descriptors.end(), doorbells.begin(), doorbells.end());
  const card_link::Hello hello{.role = card_link::Role::kDaemon,
                               .pid = static_cast<std::uint64_t>(::getpid()),
                               .version = std::string(base::build_info().version),
                               .region = shape};
  if (auto sent = connected->send(card_link::encode(hello), descriptors); !sent)
    return tl::unexpected(sent.error());
  std::unique_ptr<CardConnection> connection(new CardConnection(io, std::move(*connected), std::move(*region),
                                                                std::move(*card), std::move(callbacks)));
  connection->wait();
  return connection;
}

CardConnection::CardConnection(boost::asio::io_context& io, card_link::PacketSocket socket,
                               std::shared_ptr<card_link::Region> region, card_link::Doorbell card,
                               Callbacks callbacks)
    : socket_(std::move(socket)),
      readable_(io, socket_->fd()),
      region_(std::move(region)),
      card_(std::make_shared<const card_link::Doorbell>(std::move(card))),
      callbacks_(std::move(callbacks)) {}

void CardConnection::end() noexcept {
  if (!socket_) return;
  *alive_ = false;
  readable_.release();  // without closing it
  socket_.reset();
}

Result<void> CardConnection::send(const card_link::Message& message) {
  return socket_->send(card_link::encode(message));
}

std::unique_ptr<card_link::DaemonPort> CardConnection::make_port(std::uint32_t port) const {
  return std::make_unique<card_link::DaemonPort>(region_, port, card_);
}

void CardConnection::wait() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this, alive = alive_](const boost::system::error_code& error) {
                         if (!*alive) return;
                         if (error)
                           callbacks_.lost({ErrorCode::kIo, "card socket: " + error.message()});
                         else if (read())
                           wait();
                       });
}

bool CardConnection::read() {
  const auto alive = alive_;  // a callback may end this connection
  for (int n = 0; n < kPacketsAtOnce; ++n) {
    auto packet = socket_->receive();
    if (!packet) {
      callbacks_.lost(packet.error());
      return false;
    }
    if (!*packet) return true;
    auto message = card_link::decode(std::as_bytes(std::span((*packet)->bytes)));
    if (!message) {
      callbacks_.lost(message.error());
      return false;
    }
    callbacks_.message(*message);
    if (!*alive) return false;
  }
  return true;
}

}  // namespace kantrig::control
