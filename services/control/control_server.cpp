#include "control/control_server.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace kantrig::control {

Result<std::unique_ptr<ControlServer>> ControlServer::open(boost::asio::io_context& io,
                                                           wire::Context& context,
                                                           ControlServerOptions options, Handler handler,
                                                           Refusal refusal) {
  auto socket = wire::ControlServer::bind(context, options.endpoint);
  if (!socket) return tl::unexpected(socket.error());
  std::unique_ptr<ControlServer> server(
      new ControlServer(io, std::move(*socket), std::move(options), std::move(handler), std::move(refusal)));
  server->wait();
  server->take_calls();  // what arrived before the first wait gives no edge
  return server;
}

ControlServer::ControlServer(boost::asio::io_context& io, wire::ControlServer socket,
                             ControlServerOptions options, Handler handler, Refusal refusal)
    : io_(io),
      socket_(std::move(socket)),
      readable_(io, socket_.fd()),
      options_(std::move(options)),
      handler_(std::move(handler)),
      refusal_(std::move(refusal)),
      self_(std::make_shared<ControlServer*>(this)) {}

ControlServer::~ControlServer() {
  readable_.release();  // the descriptor is ZeroMQ's to close
}

void ControlServer::wait() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
                         const auto self = weak.lock();
                         if (error || !self) return;
                         (*self)->wait();
                         (*self)->take_calls();
                       });
}

void ControlServer::take_calls() {
  wire::ControlCall call;
  for (std::uint32_t taken = 0; taken < kCallsPerTurn; ++taken) {
    if (!socket_.receive(call)) return;
    take(call);
  }
  come_back();  // more may lie there and will give no further edge
}

void ControlServer::come_back() {
  if (std::exchange(turn_posted_, true)) return;
  boost::asio::post(io_, [weak = std::weak_ptr(self_)] {
    const auto self = weak.lock();
    if (!self) return;
    (*self)->turn_posted_ = false;
    (*self)->take_calls();
  });
}

void ControlServer::take(const wire::ControlCall& call) {
  const auto refuse = [&](std::string_view message) {
    static_cast<void>(socket_.reply(call.from, refusal_(message)));
  };
  if (call.request.size() > options_.request_bytes_max) {
    return refuse(fmt::format("a request of {} bytes, expected at most {}", call.request.size(),
                              options_.request_bytes_max));
  }
  const auto open = pending_.find(call.from);
  if (pending_count_ >= options_.requests_pending_max ||
      (open != pending_.end() && open->second >= kPendingPerClient)) {
    return refuse("too many requests wait for their reply; try again");
  }
  ++pending_[call.from];
  ++pending_count_;
  handler_(call.request, [weak = std::weak_ptr(self_), to = call.from](const std::string& bytes) {
    if (const auto self = weak.lock()) (*self)->finish(to, bytes);
  });
}

void ControlServer::finish(const wire::Identity& to, std::string_view reply) {
  const auto open = pending_.find(to);
  if (open != pending_.end() && --open->second == 0) pending_.erase(open);
  --pending_count_;
  static_cast<void>(
      socket_.reply(to, reply));  // false: the client left, or does not read; nobody else waits for it
  come_back();                    // sending may have eaten the edge of a request that arrived meanwhile
}

}  // namespace kantrig::control
