#include "telemetry/listen_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kantrig::telemetry {
namespace {

TEST(ListenAddress, IsReadAndWrittenTheSame) {
  for (const char* text : {"127.0.0.1:9464", "0.0.0.0:0", "[::1]:65535", "[::]:9464"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(parse_listen_address("localhost:1")->text(), "127.0.0.1:1");
}

TEST(ListenAddress, IsRefusedWithWhatWasExpected) {
  for (const char* text :
       {"", ":", ":9464", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:-1",
        "127.0.0.1:94 64", "::1:9464", "[]:9464", "[127.0.0.1]:9464", "example.org:9464"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message, ::testing::HasSubstr("expected ADDRESS:PORT"));
  }
}

}  // namespace
}  // namespace kantrig::telemetry
