#include "telemetry/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <string>

#include "unit/telemetry/stepped_client.hpp"

namespace kantrig::telemetry {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() : server_(std::move(*HttpServer::listen(context_, {"127.0.0.1", 0}))) {
    exposer_.add([](MetricWriter& writer) { writer.gauge({"kantrig_lanes", "Lanes in use."}, 3); });
    add_pages(server_, exposer_, {[this] { return live_; }, [this] { return ready_; }});
  }

  std::string get(const std::string& target) {
    test::SteppedClient client(context_, server_.address());
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }

  boost::asio::io_context context_;
  Exposer exposer_;
  HttpServer server_;
  Health live_;
  Health ready_{true, "shards: 2 running\nmodel: jets-1.1.0"};
};

TEST_F(HealthTest, ServesTheMetricsWithTheTypeThatPrometheusExpects) {
  EXPECT_THAT(get("/metrics"), AllOf(StartsWith("HTTP/1.1 200"),
                                     HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                                     EndsWith("kantrig_lanes 3\n")));
}

TEST_F(HealthTest, TellsLivenessAndReadinessApart) {
  ready_ = {false, "draining"};
  EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("\r\n\r\nok\n")));
  EXPECT_THAT(get("/readyz"), AllOf(StartsWith("HTTP/1.1 503"), EndsWith("\r\n\r\nnot ok\ndraining\n")));
  live_ = {false, "shard 0: no progress for 3 s"};
  EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 503"), EndsWith("shard 0: no progress for 3 s\n")));
}

TEST_F(HealthTest, SaysMoreWhenAskedTo) {
  EXPECT_THAT(get("/readyz"), EndsWith("\r\n\r\nok\n"));
  const std::string whole = "\r\n\r\nok\nshards: 2 running\nmodel: jets-1.1.0\n";
  for (const char* target : {"/readyz?verbose", "/readyz?a=b&verbose=1"})
    EXPECT_THAT(get(target), EndsWith(whole));
  EXPECT_THAT(get("/readyz?verbosely"), EndsWith("\r\n\r\nok\n"));
}

TEST_F(HealthTest, HasAnIndex) {
  EXPECT_THAT(get("/"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("text/html"),
                              HasSubstr("href=\"/metrics\""), HasSubstr("/readyz")));
}

}  // namespace
}  // namespace kantrig::telemetry
