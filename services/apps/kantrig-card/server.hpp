// Server: the socket that kantrigd and operators connect to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apps/kantrig-card/figures.hpp"
#include "apps/kantrig-card/station.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "card_link/messages.hpp"
#include "card_link/packet_socket.hpp"

namespace kantrig::card_host {

/// What the server asks of whoever owns the card. Called on the server's thread; none may block.
struct ServerCalls {
  std::function<bool(std::shared_ptr<Link>)> join;  // false: too much waits already
  std::function<void()> leave;
  std::function<bool(card_link::Load, std::uint64_t received_ns)> load;
  std::function<bool(std::uint64_t ticket, card_link::Command)> command;
  std::function<card_link::Welcome()> welcome;
  std::function<card_link::Status()> status;  // daemon_pid is the server's to fill in
};

/// One daemon and a few operators at a time. Whoever breaks a rule is told what was expected, counted and,
/// where it cannot be meant well, hung up on.
///
/// Threading: the thread that runs the io_context.
class Server {
 public:
  static constexpr std::size_t kOperatorsMax = 16;
  static constexpr std::size_t kConnectionsMax = 32;  // with those that have not said who they are
  static constexpr std::uint32_t kGreetingMs = 5'000;

  Server(boost::asio::io_context& io, const base::Clock& clock, base::Logger& log, ServerFigures& figures,
         card_link::Listener listener, ServerCalls calls);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // What became of what was asked:
  void on_state(const card_link::StateChange& state);
  void on_loaded(const card_link::Loaded& loaded);
  void on_done(std::uint64_t ticket, const card_link::CommandDone& done);
  void on_dismissed(const std::string& why);
  /// All slots of the daemon that has gone are back: the next one may join.
  void on_left();

  [[nodiscard]] std::uint64_t daemon_pid() const noexcept { return daemon_pid_; }

 private:
  struct Connection;
  void accept_next();
  void take_connections();
  void watch(Connection& connection);
  void read_from(std::uint64_t id);
  /// False: the connection is to be closed.
  [[nodiscard]] bool take_packet(Connection& connection, card_link::Packet packet);
  [[nodiscard]] bool greet(Connection& connection, const card_link::Hello& hello, card_link::Packet& packet);
  [[nodiscard]] bool greet_daemon(Connection& connection, const card_link::Hello& hello,
                                  card_link::Packet& packet);
  [[nodiscard]] bool serve(Connection& connection, card_link::Message message);
  void refuse(Connection& connection, const std::string& why);
  [[nodiscard]] bool send(Connection& connection, const card_link::Message& message);
  void send_to(std::uint64_t id, const card_link::Message& message);
  void close(std::uint64_t id, std::string_view why);
  [[nodiscard]] std::size_t operators() const;

  boost::asio::io_context& io_;
  const base::Clock& clock_;
  base::Logger& log_;
  ServerFigures& figures_;
  card_link::Listener listener_;
  boost::asio::posix::stream_descriptor listener_watch_;
  boost::asio::steady_timer pause_;
  ServerCalls calls_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t last_id_ = 0;
  std::uint64_t daemon_id_ = 0;   // connection; 0: none
  std::uint64_t daemon_pid_ = 0;  // until its slots are back
};

}  // namespace kantrig::card_host
