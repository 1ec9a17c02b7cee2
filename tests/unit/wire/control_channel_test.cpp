#include "wire/control_channel.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace kantrig::wire {
namespace {

constexpr std::uint32_t kPatienceMs = 10'000;

class ControlChannelTest : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  std::string endpoint_ = "ipc://" + (folder_.path() / "control").string();
  Context context_ = Context::create(1).value();
};

TEST_F(ControlChannelTest, AnswersEachCallerItsOwnReply) {
  auto server = ControlServer::bind(context_, endpoint_);
  ASSERT_TRUE(server.has_value()) << server.error().message;
  std::thread serving([&] {
    for (int answered = 0; answered < 2;) {
      ControlCall call;
      if (!server->receive(call)) {
        if (!server->wait(kPatienceMs, -1).readable) return;
        continue;
      }
      EXPECT_TRUE(server->reply(call.from, "reply to " + call.request));
      ++answered;
    }
  });
  ControlClient client(context_, endpoint_);
  const auto first = client.request("status", kPatienceMs);
  const auto second = client.request(std::string("\0binary", 7), kPatienceMs);
  serving.join();
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(*first, "reply to status");
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(*second, std::string("reply to \0binary", 16));
}

TEST_F(ControlChannelTest, SaysAtOnceThatNobodyServesThePath) {
  const auto reply = ControlClient(context_, endpoint_).request("status", kPatienceMs);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kIo);
  EXPECT_NE(reply.error().message.find("is kantrigd running?"), std::string::npos);
}

TEST_F(ControlChannelTest, GivesUpWhenNoReplyComes) {
  auto server = ControlServer::bind(context_, endpoint_);
  ASSERT_TRUE(server.has_value());
  const auto reply = ControlClient(context_, endpoint_).request("status", 20);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kTimeout);
}

TEST_F(ControlChannelTest, NamesTheEndpointThatIsTaken) {
  auto first = ControlServer::bind(context_, endpoint_);
  ASSERT_TRUE(first.has_value());
  const auto second = ControlServer::bind(context_, endpoint_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message,
            "control socket: cannot bind " + endpoint_ + ": address in use: is another kantrigd running?");
}

}  // namespace
}  // namespace kantrig::wire
