#include "telemetry/http_connection.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <utility>

namespace kantrig::telemetry {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;
using std::chrono::milliseconds;

std::shared_ptr<HttpConnection> HttpConnection::start(boost::asio::ip::tcp::socket socket, HttpLimits limits,
                                                      Answer answer, Closed closed) {
  std::shared_ptr<HttpConnection> connection(
      new HttpConnection(std::move(socket), limits, std::move(answer), std::move(closed)));
  connection->wait_for_request();
  return connection;
}

HttpConnection::HttpConnection(boost::asio::ip::tcp::socket socket, HttpLimits limits, Answer answer,
                               Closed closed)
    : stream_(std::move(socket)),
      limits_(limits),
      answer_(std::move(answer)),
      closed_(std::move(closed)),
      buffer_(limits.header_bytes_max) {}

void HttpConnection::close() {
  if (!closed_) return;
  error_code ignored;
  stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
  stream_.close();
  std::exchange(closed_, nullptr)();
}

void HttpConnection::wait_for_request() {
  parser_.emplace();
  parser_->header_limit(limits_.header_bytes_max);
  idle_ = true;
  idle_since_ = std::chrono::steady_clock::now();
  if (buffer_.size() > 0) return read_request();  // the client did not wait for the answer before
  constexpr std::size_t kFirstRead = 1024;
  stream_.expires_after(milliseconds(limits_.idle_timeout_ms));
  const auto room = buffer_.prepare(std::min<std::size_t>(kFirstRead, limits_.header_bytes_max));
  stream_.async_read_some(room, [self = shared_from_this()](error_code error, std::size_t bytes) {
    if (error) return self->close();
    self->buffer_.commit(bytes);
    self->read_request();
  });
}

void HttpConnection::read_request() {
  idle_ = false;
  stream_.expires_after(milliseconds(limits_.request_timeout_ms));
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, std::size_t) { self->on_request(error); });
}

void HttpConnection::on_request(error_code error) {
  if (!error) return answer_request();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(http::status::request_header_fields_too_large, "the header is too long");
  }
  if (error == http::error::unexpected_body || error == http::error::body_limit) {
    return refuse(http::status::payload_too_large, "a request here has no body");
  }
  if (error == beast::error::timeout || error == http::error::end_of_stream) return close();
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return refuse(http::status::bad_request, "not HTTP");
  }
  close();  // gone
}

void HttpConnection::answer_request() {
  const auto& request = parser_->get();
  const bool head_only = request.method() == http::verb::head;
  if (!head_only && request.method() != http::verb::get) {
    return refuse(http::status::method_not_allowed, "expected GET or HEAD");
  }
  const std::string_view target(request.target().data(), request.target().size());
  const std::size_t question = target.find('?');
  HttpRequest asked{target.substr(0, question), {}};
  if (question != std::string_view::npos) asked.query = target.substr(question + 1);
  write(answer_(asked), head_only ? Content::kHeadOnly : Content::kWhole,
        request.keep_alive() ? After::kNextRequest : After::kClose);
}

void HttpConnection::refuse(http::status status, std::string_view why) {
  write({static_cast<unsigned>(status), "text/plain; charset=utf-8", std::string(why) + "\n"},
        Content::kWhole, After::kClose);
}

void HttpConnection::write(const HttpResponse& answer, Content content, After after) {
  constexpr unsigned kHttp11 = 11;
  response_ = http::response<http::string_body>(static_cast<http::status>(answer.status), kHttp11);
  response_.set(http::field::server, "kantrig");
  response_.set(http::field::content_type, answer.content_type);
  response_.set(http::field::cache_control, "no-store");
  if (answer.status == static_cast<unsigned>(http::status::method_not_allowed)) {
    response_.set(http::field::allow, "GET, HEAD");
  }
  response_.keep_alive(after == After::kNextRequest);
  response_.body() = answer.body;
  response_.prepare_payload();
  serializer_.emplace(response_);
  stream_.expires_after(milliseconds(limits_.write_timeout_ms));
  auto done = [self = shared_from_this(), after](error_code error, std::size_t) {
    if (error) return self->close();
    if (after == After::kClose) return self->linger();
    self->wait_for_request();
  };
  if (content == Content::kHeadOnly) {
    http::async_write_header(stream_, *serializer_, std::move(done));
  } else {
    http::async_write(stream_, *serializer_, std::move(done));
  }
}

/// Closing with unread bytes resets the connection, and the client may lose the answer (RFC 9112,
/// section 9.6). So the sending side is closed first, and what still comes is thrown away until the client
/// closes, or for a second.
void HttpConnection::linger() {
  error_code error;
  stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, error);
  if (error) return close();
  stream_.expires_after(std::chrono::seconds(1));
  discard();
}

void HttpConnection::discard() {
  stream_.async_read_some(boost::asio::buffer(discarded_),
                          [self = shared_from_this()](error_code error, std::size_t) {
                            if (error) return self->close();
                            self->discard();
                          });
}

}  // namespace kantrig::telemetry
