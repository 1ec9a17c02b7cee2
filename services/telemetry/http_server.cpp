#include "telemetry/http_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <map>
#include <utility>

#include "telemetry/http_connection.hpp"

namespace kantrig::telemetry {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// The listener and its connections. Kept alive by the accept in flight; connections only know it weakly,
/// through their callbacks.
struct HttpServer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, HttpLimits given) : acceptor(context), pause(context), limits(given) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
      if (self->closed) return;
      if (!error) self->take(std::move(socket));
      // Out of descriptors, usually. Without a pause the next accept would fail at once, and so on.
      if (error) return self->accept_later();
      self->accept();
    });
  }

  void accept_later() {
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->closed) self->accept();
    });
  }

  void take(tcp::socket socket) {
    if (connections.size() >= limits.connections_max && !close_longest_idle()) return;  // closes `socket`
    const auto position = connections.emplace(connections.end());
    const std::weak_ptr<State> weak = weak_from_this();
    *position = HttpConnection::start(
        std::move(socket), limits,
        [weak](const HttpRequest& request) {
          const auto self = weak.lock();
          return self ? self->answer(request) : HttpResponse{503, "text/plain", "closing\n"};
        },
        [weak, position] {
          if (const auto self = weak.lock()) self->connections.erase(position);
        });
  }

  bool close_longest_idle() {
    std::shared_ptr<HttpConnection> oldest;
    for (const auto& connection : connections) {
      if (connection->idle() && (!oldest || connection->idle_since() < oldest->idle_since()))
        oldest = connection;
    }
    if (!oldest) return false;
    oldest->close();
    return true;
  }

  HttpResponse answer(const HttpRequest& request) const {
    const auto found = routes.find(request.path);
    if (found == routes.end()) return {404, "text/plain; charset=utf-8", "not here; see /\n"};
    return found->second(request);
  }

  void close() {
    closed = true;
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (const auto& connection : std::list(connections)) connection->close();  // a copy: each erases itself
  }

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  HttpLimits limits;
  ListenAddress address;
  std::map<std::string, Handler, std::less<>> routes;
  std::list<std::shared_ptr<HttpConnection>> connections;  // at most connections_max
  bool closed = false;
};

namespace {

tl::unexpected<Error> listen_error(const ListenAddress& address, std::string_view action,
                                   const error_code& error) {
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::kBusy,
                "cannot listen at {}: another program does already; stop it (ss -ltnp shows which) or "
                "give telemetry.listen another port",
                address.text());
  }
  return fail(ErrorCode::kIo, "cannot {} at {}: {}", action, address.text(), error.message());
}

}  // namespace

Result<HttpServer> HttpServer::listen(asio::io_context& context, const ListenAddress& address,
                                      HttpLimits limits) {
  error_code error;
  const auto host = asio::ip::make_address(address.host, error);
  if (error) return fail(ErrorCode::kInvalid, "cannot listen at {}: not an address", address.text());
  const tcp::endpoint endpoint(host, address.port);
  auto state = std::make_shared<State>(context, limits);
  state->acceptor.open(endpoint.protocol(), error);
  if (error) return listen_error(address, "open a socket", error);
  state->acceptor.set_option(asio::socket_base::reuse_address(true),
                             error);  // past TIME_WAIT of an earlier life
  if (error) return listen_error(address, "set up a socket", error);
  state->acceptor.bind(endpoint, error);
  if (error) return listen_error(address, "listen", error);
  state->acceptor.listen(static_cast<int>(limits.connections_max), error);
  if (error) return listen_error(address, "listen", error);
  const auto bound = state->acceptor.local_endpoint(error);
  if (error) return listen_error(address, "listen", error);
  state->address = {address.host, bound.port()};
  state->accept();
  return HttpServer(std::move(state));
}

HttpServer::HttpServer(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&& other) noexcept = default;

HttpServer& HttpServer::operator=(HttpServer&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

HttpServer::~HttpServer() {
  if (state_) state_->close();
}

void HttpServer::route(std::string path, Handler handler) {
  state_->routes.insert_or_assign(std::move(path), std::move(handler));
}

ListenAddress HttpServer::address() const {
  return state_->address;
}

std::size_t HttpServer::connection_count() const noexcept {
  return state_->connections.size();
}

}  // namespace kantrig::telemetry
