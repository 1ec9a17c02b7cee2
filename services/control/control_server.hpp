// ControlServer: the operators' socket on the control thread's event loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/result.hpp"
#include "control/options.hpp"
#include "wire/context.hpp"
#include "wire/control_channel.hpp"

namespace kantrig::control {

/// Receives requests, hands each to a handler and sends the reply, now or later, to whoever asked. Requests
/// of several clients are open at the same time, so none waits for another's load.
///
/// Threading: owned by the thread that runs `io`. A handler may keep its `Reply` and call it after the server
/// is gone. Bounds:    requests_pending_max open requests, kPendingPerClient of one client, kCallsPerTurn
/// taken before others on
///            the event loop have their turn.
class ControlServer {
 public:
  static constexpr std::uint32_t kPendingPerClient = 8;
  static constexpr std::uint32_t kCallsPerTurn = 16;

  using Reply = std::function<void(std::string bytes)>;
  /// Must call `reply` once, on the control thread.
  using Handler = std::function<void(std::string_view request, Reply reply)>;
  /// The reply to a request that is not handed on: its `message` says why.
  using Refusal = std::function<std::string(std::string_view message)>;

  /// Errors: as wire::ControlServer::bind().
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& io,
                                                                   wire::Context& context,
                                                                   ControlServerOptions options,
                                                                   Handler handler, Refusal refusal);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] const std::string& endpoint() const noexcept { return socket_.endpoint(); }

 private:
  ControlServer(boost::asio::io_context& io, wire::ControlServer socket, ControlServerOptions options,
                Handler handler, Refusal refusal);
  void wait();
  void take_calls();
  void come_back();  // to take_calls(), after the others on the event loop
  void take(const wire::ControlCall& call);
  void finish(const wire::Identity& to, std::string_view reply);

  boost::asio::io_context& io_;
  wire::ControlServer socket_;
  boost::asio::posix::stream_descriptor readable_;
  ControlServerOptions options_;
  Handler handler_;
  Refusal refusal_;
  std::unordered_map<wire::Identity, std::uint32_t, wire::IdentityHash> pending_;  // open requests by client
  std::uint32_t pending_count_ = 0;
  bool turn_posted_ = false;
  std::shared_ptr<ControlServer*>
      self_;  // what replies and posted turns hold weakly: empty once the server is gone
};

}  // namespace kantrig::control
