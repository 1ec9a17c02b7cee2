#include "telemetry/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <string>

#include "unit/telemetry/stepped_client.hpp"

namespace kantrig::telemetry {
namespace {

using test::SteppedClient;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const ListenAddress kAnyPort{"127.0.0.1", 0};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServer serve(HttpLimits limits = {}) {
    auto server = HttpServer::listen(context_, kAnyPort, limits);
    EXPECT_TRUE(server) << server.error().message;
    server->route("/page", [](const HttpRequest& request) {
      return HttpResponse{200, "text/plain",
                          "path=" + std::string(request.path) + " query=" + std::string(request.query)};
    });
    return std::move(*server);
  }

  std::string exchange(const HttpServer& server, std::string_view request) {
    SteppedClient client(context_, server.address());
    client.send(request);
    return client.read_all();
  }

  boost::asio::io_context context_;
};

TEST_F(HttpServerTest, TellsThePortThatItGot) {
  const HttpServer server = serve();
  EXPECT_NE(server.address().port, 0);
  EXPECT_EQ(server.address().host, "127.0.0.1");
}

TEST_F(HttpServerTest, AnswersGetWithPathAndQuery) {
  const HttpServer server = serve();
  EXPECT_THAT(exchange(server, "GET /page?a=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Type: text/plain\r\n"),
                    HasSubstr("Connection: close"), EndsWith("\r\n\r\npath=/page query=a=1")));
}

TEST_F(HttpServerTest, AnswersHeadWithTheLengthButNoBody) {
  const HttpServer server = serve();
  EXPECT_THAT(
      exchange(server, "HEAD /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 17\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersRequestsSentAtOnceInOrder) {
  const HttpServer server = serve();
  SteppedClient client(context_, server.address());
  client.send("GET /page?1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("query=1"), StartsWith("HTTP/1.1 200"));
  client.send("GET /page?2 HTTP/1.1\r\nHost: x\r\n\r\nGET /page?3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.read_until("query=3"), HasSubstr("query=2HTTP/1.1 200"));
  EXPECT_EQ(server.connection_count(), 1U);
}

TEST_F(HttpServerTest, ClosesBehindAnHttp10RequestThatDoesNotAskToStay) {
  const HttpServer server = serve();
  EXPECT_THAT(exchange(server, "GET /page HTTP/1.0\r\n\r\n"), EndsWith("path=/page query="));
}

TEST_F(HttpServerTest, AnswersAnUnknownPathWith404AndAnotherMethodWith405) {
  const HttpServer server = serve();
  EXPECT_THAT(exchange(server, "GET /pag HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(exchange(server, "DELETE /page HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD\r\n")));
}

TEST_F(HttpServerTest, RefusesABodyALongHeaderAndWhatIsNotHttp) {
  const HttpServer server = serve();
  EXPECT_THAT(exchange(server, "POST /page HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(exchange(server, "GET /page HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(exchange(server, "GET /" + std::string(100'000, 'x')), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(exchange(server, std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11)),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange(server, "GET /page HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, CutsARequestThatDoesNotEnd) {
  const HttpServer server = serve({.request_timeout_ms = 20});
  SteppedClient client(context_, server.address());
  client.send("GET /page HT");
  EXPECT_EQ(client.read_all(), "");
  context_.poll();
  EXPECT_EQ(server.connection_count(), 0U);
}

TEST_F(HttpServerTest, CutsAConnectionThatStaysIdle) {
  const HttpServer server = serve({.idle_timeout_ms = 20});
  SteppedClient client(context_, server.address());
  EXPECT_EQ(client.read_all(), "");
  context_.poll();
  EXPECT_EQ(server.connection_count(), 0U);
}

TEST_F(HttpServerTest, ClosesTheConnectionIdleLongestWhenThereAreTooMany) {
  const HttpServer server = serve({.connections_max = 2});
  SteppedClient first(context_, server.address());
  SteppedClient second(context_, server.address());
  SteppedClient third(context_, server.address());
  EXPECT_EQ(first.read_all(), "");
  EXPECT_TRUE(second.open());
  third.send("GET /page HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(third.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TurnsANewConnectionAwayWhenNoneIsIdle) {
  const HttpServer server = serve({.connections_max = 1});
  SteppedClient busy(context_, server.address());
  busy.send("GET /page HTTP/1.1\r\n");
  SteppedClient second(context_, server.address());
  EXPECT_EQ(second.read_all(), "");
  busy.send("Connection: close\r\n\r\n");
  EXPECT_THAT(busy.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, SurvivesClientsThatLeaveAtAnyMoment) {
  const HttpServer server = serve();
  const std::string request = "GET /page HTTP/1.1\r\nConnection: close\r\n\r\n";
  for (std::size_t sent = 0; sent <= request.size(); ++sent) {
    SteppedClient(context_, server.address()).send(std::string_view(request).substr(0, sent));
  }
  EXPECT_THAT(exchange(server, request), StartsWith("HTTP/1.1 200"));
  context_.poll();
  EXPECT_EQ(server.connection_count(), 0U);
}

TEST_F(HttpServerTest, NamesAnAddressInUseAndWhatToDo) {
  const HttpServer server = serve();
  const auto second = HttpServer::listen(context_, server.address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr(server.address().text()), HasSubstr("telemetry.listen")));
}

TEST_F(HttpServerTest, NamesAnAddressThatThisMachineDoesNotHave) {
  const auto server = HttpServer::listen(context_, {"192.0.2.1", 0});
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("192.0.2.1:0"));
}

TEST_F(HttpServerTest, StopsListeningWhenItGoes) {
  ListenAddress address;
  {
    const HttpServer server = serve();
    address = server.address();
    SteppedClient(context_, address).send("GET /page HTTP/1.1\r\n");
  }
  context_.poll();
  const auto again = HttpServer::listen(context_, address);
  EXPECT_TRUE(again) << again.error().message;
}

TEST_F(HttpServerTest, ListensAtIpv6) {
  auto server = HttpServer::listen(context_, {"::1", 0});
  if (!server) GTEST_SKIP() << "this machine has no IPv6 loopback: " << server.error().message;
  EXPECT_THAT(exchange(*server, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 404"));
}

}  // namespace
}  // namespace kantrig::telemetry
