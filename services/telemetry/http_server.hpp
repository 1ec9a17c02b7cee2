// HttpServer: small, bounded, asynchronous; GET and HEAD of a few fixed paths. For operators and Prometheus,
// not for events.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "telemetry/listen_address.hpp"

namespace boost::asio {
class io_context;
}

namespace kantrig::telemetry {

struct HttpRequest {
  std::string_view path;   // without the query
  std::string_view query;  // behind the question mark; may be empty
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpLimits {
  std::uint32_t connections_max = 64;  // above: the one idle longest is closed; if none is idle, the new one
  std::uint32_t header_bytes_max = 8'192;    // above: 431
  std::uint32_t request_timeout_ms = 5'000;  // from the first byte of a request to its last
  std::uint32_t write_timeout_ms = 10'000;   // for one answer
  std::uint32_t idle_timeout_ms = 75'000;    // between requests of a connection
};

/// Listens from construction to destruction. A request with a body, one that is not HTTP, or one that breaks
/// a limit is answered with its status and the connection closed.
///
/// Threading: everything, handlers too, runs on the one thread that runs `context`; destroy it there, or when
/// nobody
///            runs `context` any more. Handlers must not block.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// Port 0 takes any free one, see address(). An address in use is an error that says what to do.
  [[nodiscard]] static Result<HttpServer> listen(boost::asio::io_context& context,
                                                 const ListenAddress& address, HttpLimits limits = {});

  HttpServer(HttpServer&& other) noexcept;
  HttpServer& operator=(HttpServer&& other) noexcept;
  ~HttpServer();

  /// Answers GET and HEAD of `path` from now on. Any other path is a 404, any other method a 405.
  void route(std::string path, Handler handler);

  /// Where it listens, with the actual port.
  [[nodiscard]] ListenAddress address() const;
  [[nodiscard]] std::size_t connection_count() const noexcept;

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state) noexcept;
  std::shared_ptr<State> state_;  // shared with the handlers in flight, which find it closed
};

}  // namespace kantrig::telemetry
