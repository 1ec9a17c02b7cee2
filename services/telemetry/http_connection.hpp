// HttpConnection: one connection of HttpServer, from accept to close. Internal.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "telemetry/http_server.hpp"

namespace kantrig::telemetry {

/// Reads a request, answers it, reads the next. Lives as long as an operation of it is in flight.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Answer = std::function<HttpResponse(const HttpRequest&)>;
  using Closed = std::function<void()>;

  /// `closed` is called once, when the connection is over; never from within start().
  static std::shared_ptr<HttpConnection> start(boost::asio::ip::tcp::socket socket, HttpLimits limits,
                                               Answer answer, Closed closed);

  void close();
  [[nodiscard]] bool idle() const noexcept { return idle_; }
  [[nodiscard]] std::chrono::steady_clock::time_point idle_since() const noexcept { return idle_since_; }

 private:
  HttpConnection(boost::asio::ip::tcp::socket socket, HttpLimits limits, Answer answer, Closed closed);
  void wait_for_request();
  void read_request();
  void on_request(boost::beast::error_code error);
  void answer_request();
  void refuse(boost::beast::http::status status, std::string_view why);
  enum class Content : std::uint8_t { kWhole, kHeadOnly };
  enum class After : std::uint8_t { kNextRequest, kClose };
  void write(const HttpResponse& answer, Content content, After after);
  void linger();
  void discard();

  boost::beast::tcp_stream stream_;
  HttpLimits limits_;
  Answer answer_;
  Closed closed_;
  boost::beast::flat_buffer buffer_;  // holds at most header_bytes_max
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
  std::array<char, 1024> discarded_{};
  bool idle_ = true;
  std::chrono::steady_clock::time_point idle_since_;
};

}  // namespace kantrig::telemetry
