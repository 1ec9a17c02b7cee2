#include "apps/kantrig-card/server.hpp"

#include <fcntl.h>

#include <boost/asio/posix/descriptor_base.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "base/build_info.hpp"

namespace kantrig::card_host {
namespace {

namespace asio = boost::asio;
using card_link::CommandDone;
using card_link::Hello;
using card_link::Load;
using card_link::Loaded;
using card_link::Message;
using card_link::Packet;
using card_link::Refusal;
using card_link::Role;

constexpr int kPacketsPerTurn = 16;
constexpr std::chrono::milliseconds kPause{100};  // when no descriptor is left for a connection

/// A descriptor of asio's own, so that either side may close its.
int duplicate(int fd) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/// The region and the doorbells that came with a daemon's greeting.
Result<std::shared_ptr<Link>> make_link(const Hello& hello, Packet& packet) {
  const std::size_t expected = 2 + std::size_t{hello.region.ports};
  if (packet.descriptors.size() != expected)
    return fail(ErrorCode::kInvalid,
                "a greeting with {} descriptors, expected {}: region, card's doorbell, one doorbell a port",
                packet.descriptors.size(), expected);
  auto region = card_link::Region::map(packet.descriptors[0].release(), hello.region);
  if (!region) return tl::unexpected(region.error());
  auto card = card_link::Doorbell::adopt(packet.descriptors[1].release());
  if (!card) return tl::unexpected(card.error());
  auto link = std::make_shared<Link>(*region, std::move(*card));
  for (std::uint32_t port = 0; port < hello.region.ports; ++port) {
    auto bell = card_link::Doorbell::adopt(packet.descriptors[2 + port].release());
    if (!bell) return tl::unexpected(bell.error());
    link->ports.push_back(std::make_unique<card_link::CardPort>(*region, port, std::move(*bell)));
  }
  return link;
}

}  // namespace

struct Server::Connection {
  Connection(asio::io_context& io, card_link::PacketSocket packets, std::uint64_t number)
      : id(number), socket(std::move(packets)), watch(io), greeting(io) {}
  std::uint64_t id;
  card_link::PacketSocket socket;
  asio::posix::stream_descriptor watch;
  asio::steady_timer greeting;
  Role role = Role::kUnspecified;
};

Server::Server(asio::io_context& io, const base::Clock& clock, base::Logger& log, ServerFigures& figures,
               card_link::Listener listener, ServerCalls calls)
    : io_(io),
      clock_(clock),
      log_(log),
      figures_(figures),
      listener_(std::move(listener)),
      listener_watch_(io, duplicate(listener_.fd())),
      pause_(io),
      calls_(std::move(calls)) {
  accept_next();
}

Server::~Server() = default;

void Server::accept_next() {
  listener_watch_.async_wait(asio::posix::descriptor_base::wait_read,
                             [this](const boost::system::error_code& error) {
                               if (error) return;
                               take_connections();
                             });
}

void Server::take_connections() {
  for (;;) {
    auto accepted = listener_.accept();
    if (!accepted) {
      log_.warn("cannot accept a connection", {{"reason", accepted.error().message}});
      pause_.expires_after(kPause);
      pause_.async_wait([this](const boost::system::error_code& error) {
        if (!error) accept_next();
      });
      return;
    }
    if (!*accepted) break;
    auto connection = std::make_unique<Connection>(io_, std::move(**accepted), ++last_id_);
    if (connections_.size() >= kConnectionsMax) {
      refuse(*connection, fmt::format("{} connections are open, expected at most {}", connections_.size(),
                                      kConnectionsMax));
      continue;
    }
    Connection& added = *connections_.emplace(last_id_, std::move(connection)).first->second;
    added.watch.assign(duplicate(added.socket.fd()));
    added.greeting.expires_after(std::chrono::milliseconds(kGreetingMs));
    added.greeting.async_wait([this, id = added.id](const boost::system::error_code& error) {
      const auto at = connections_.find(id);
      if (error || at == connections_.end() || at->second->role != Role::kUnspecified) return;
      refuse(*at->second, fmt::format("no greeting within {} ms", kGreetingMs));
      close(id, "it did not say who it is");
    });
    watch(added);
  }
  accept_next();
}

void Server::watch(Connection& connection) {
  connection.watch.async_wait(asio::posix::descriptor_base::wait_read,
                              [this, id = connection.id](const boost::system::error_code& error) {
                                if (!error) read_from(id);
                              });
}

void Server::read_from(std::uint64_t id) {
  const auto at = connections_.find(id);
  if (at == connections_.end()) return;
  Connection& connection = *at->second;
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    auto packet = connection.socket.receive();
    if (!packet) {
      if (packet.error().code != ErrorCode::kIo) refuse(connection, packet.error().message);
      close(id, packet.error().message);
      return;
    }
    if (!*packet) break;
    if (!take_packet(connection, std::move(**packet))) {
      close(id, "its packets were refused");
      return;
    }
  }
  watch(connection);
}

bool Server::take_packet(Connection& connection, Packet packet) {
  auto message = card_link::decode(std::as_bytes(std::span(packet.bytes)));
  if (!message) {
    refuse(connection, message.error().message);
    return false;
  }
  if (const auto* hello = std::get_if<Hello>(&*message)) return greet(connection, *hello, packet);
  if (connection.role == Role::kUnspecified) {
    refuse(connection, "a greeting was expected first");
    return false;
  }
  return serve(connection, std::move(*message));
}

bool Server::greet(Connection& connection, const Hello& hello, Packet& packet) {
  if (connection.role != Role::kUnspecified) {
    refuse(connection, "a second greeting, expected one a connection");
    return false;
  }
  if (hello.role == Role::kDaemon) return greet_daemon(connection, hello, packet);
  if (operators() >= kOperatorsMax) {
    refuse(connection,
           fmt::format("{} operators are connected, expected at most {}", operators(), kOperatorsMax));
    return false;
  }
  connection.role = Role::kOperator;
  figures_.operators.add(1);
  return send(connection, calls_.welcome());
}

bool Server::greet_daemon(Connection& connection, const Hello& hello, Packet& packet) {
  if (daemon_pid_ != 0) {
    refuse(connection,
           daemon_id_ != 0
               ? fmt::format("the card belongs to process {}: expected one kantrigd a card", daemon_pid_)
               : fmt::format("slots of process {} are still in flight: try again", daemon_pid_));
    return false;
  }
  auto link = make_link(hello, packet);
  if (!link) {
    refuse(connection, link.error().message);
    return false;
  }
  if (!calls_.join(std::move(*link))) {
    refuse(connection, "the card has too much to do: try again");
    return false;
  }
  connection.role = Role::kDaemon;
  daemon_id_ = connection.id;
  const std::uint64_t peer = connection.socket.peer_pid();
  daemon_pid_ = peer != 0 ? peer : std::max<std::uint64_t>(hello.pid, 1);
  figures_.daemons.add(1);
  log_.info("daemon joined",
            {{"pid", daemon_pid_}, {"version", hello.version}, {"ports", hello.region.ports}});
  return send(connection, calls_.welcome());
}

bool Server::serve(Connection& connection, Message message) {
  const bool daemon = connection.role == Role::kDaemon;
  if (auto* load = std::get_if<Load>(&message); load != nullptr && daemon) {
    const std::uint64_t id = load->load_id;
    if (calls_.load(std::move(*load), clock_.now_ns())) return true;
    Loaded refused;
    refused.load_id = id;
    refused.error = "too many loads wait: try again";
    return send(connection, refused);
  }
  if (const auto* command = std::get_if<card_link::Command>(&message); command != nullptr && !daemon) {
    if (calls_.command(connection.id, *command)) return true;
    CommandDone refused;
    refused.error = "too many commands wait: try again";
    return send(connection, refused);
  }
  if (std::holds_alternative<card_link::StatusRequest>(message)) {
    auto status = calls_.status();
    status.daemon_pid = daemon_pid_;
    return send(connection, status);
  }
  refuse(connection,
         daemon ? "expected load or status from a daemon" : "expected a command or status from an operator");
  return true;
}

void Server::refuse(Connection& connection, const std::string& why) {
  figures_.refused.add(1);
  log_.warn("refused", {{"pid", connection.socket.peer_pid()}, {"reason", why}});
  (void)send(connection, Refusal{why});
}

bool Server::send(Connection& connection, const Message& message) {
  return connection.socket.send(card_link::encode(message)).has_value();
}

void Server::send_to(std::uint64_t id, const Message& message) {
  const auto at = connections_.find(id);
  if (at == connections_.end()) return;
  if (!send(*at->second, message)) close(id, "it does not read what it is sent");
}

void Server::close(std::uint64_t id, std::string_view why) {
  connections_.erase(id);
  if (id != daemon_id_) return;
  daemon_id_ = 0;
  log_.info("daemon left", {{"pid", daemon_pid_}, {"reason", why}});
  calls_.leave();
}

std::size_t Server::operators() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& entry) { return entry.second->role == Role::kOperator; }));
}

void Server::on_state(const card_link::StateChange& state) {
  send_to(daemon_id_, state);
}

void Server::on_loaded(const Loaded& loaded) {
  send_to(daemon_id_, loaded);
}

void Server::on_done(std::uint64_t ticket, const CommandDone& done) {
  send_to(ticket, done);
}

void Server::on_dismissed(const std::string& why) {
  const auto at = connections_.find(daemon_id_);
  if (at == connections_.end()) return;
  refuse(*at->second, why);
  close(daemon_id_, why);
}

void Server::on_left() {
  daemon_pid_ = 0;
}

}  // namespace kantrig::card_host
