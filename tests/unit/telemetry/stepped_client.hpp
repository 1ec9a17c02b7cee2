// A TCP client that steps the server's io_context while it waits, so that client and server share one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/listen_address.hpp"

namespace kantrig::telemetry::test {

class SteppedClient {
 public:
  SteppedClient(boost::asio::io_context& server, const ListenAddress& address)
      : server_(server), socket_(own_) {
    socket_.connect({boost::asio::ip::make_address(address.host), address.port});
    socket_.non_blocking(true);
    server_.poll();
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      boost::system::error_code error;
      text.remove_prefix(socket_.write_some(boost::asio::buffer(text.data(), text.size()), error));
      if (error && error != boost::asio::error::would_block) return;  // the server has closed
      server_.poll();
    }
  }

  /// Everything until the server closes; "(no end)" behind it when it does not within 10 s.
  std::string read_all() {
    while (!closed_) {
      if (!step()) return text_ + "(no end)";
    }
    return text_;
  }

  /// Everything until `ending` stands at the end.
  std::string read_until(std::string_view ending) {
    while (!text_.ends_with(ending) && !closed_) {
      if (!step()) return text_ + "(no end)";
    }
    return std::exchange(text_, {});
  }

  /// True while the server has not closed.
  bool open() {
    server_.poll();
    read_some();
    return !closed_;
  }

 private:
  bool step() {
    server_.run_one_for(std::chrono::milliseconds(10));
    server_.restart();
    read_some();
    return std::chrono::steady_clock::now() < deadline_;
  }

  void read_some() {
    char bytes[4096];
    boost::system::error_code error;
    const std::size_t count = socket_.read_some(boost::asio::buffer(bytes), error);
    text_.append(bytes, count);
    if (error && error != boost::asio::error::would_block) closed_ = true;
  }

  boost::asio::io_context& server_;
  boost::asio::io_context own_;
  boost::asio::ip::tcp::socket socket_;
  std::string text_;
  bool closed_ = false;
  std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(10);
};

}  // namespace kantrig::telemetry::test
