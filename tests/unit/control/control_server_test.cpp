#include "control/control_server.hpp"

#include <gmock/gmock.h>

#include <array>
#include <future>
#include <thread>

#include "control/request_handler.hpp"
#include "kantrig/v1/control.pb.h"
#include "unit/control/control_room.hpp"

namespace kantrig::control {
namespace {

using test::ControlFolder;
using test::ControlRoom;
using testing::HasSubstr;

class ControlServerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(room.start());
    auto opened = ControlServer::open(
        room.io, context,
        {.endpoint = "ipc://" + (folder.folder.path() / "control").string(), .request_bytes_max = 4096},
        [this](std::string_view request, ControlServer::Reply reply) {
          handler.handle(request, std::move(reply));
        },
        &RequestHandler::refusal);
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
  }
  /// Sends from a thread of its own, as another process would, while the event loop runs here.
  std::future<v1::ControlReply> send(std::string bytes) {
    return std::async(std::launch::async, [this, bytes = std::move(bytes)] {
      v1::ControlReply reply;
      wire::ControlClient client(context, server->endpoint());
      const auto answer = client.request(bytes, 20'000);
      if (!answer || !reply.ParseFromString(*answer)) reply.set_error("no reply");
      return reply;
    });
  }
  static std::string request(const std::function<void(v1::ControlRequest&)>& fill) {
    v1::ControlRequest message;
    message.set_protocol_version(1);
    fill(message);
    return message.SerializeAsString();
  }
  v1::ControlReply answer(std::future<v1::ControlReply> reply) {
    EXPECT_TRUE(
        room.run_until([&] { return reply.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
    return reply.get();
  }

  ControlFolder folder;
  ControlRoom room{folder};
  wire::Context context = wire::Context::create(1).value();
  RequestHandler handler{room.controller(), [] { return DaemonFigures{.endpoints = {"ipc:///events"}}; }};
  std::unique_ptr<ControlServer> server;
};

TEST_F(ControlServerTest, AnswersTheStatus) {
  const auto reply = answer(send(request([](auto& message) { message.mutable_status(); })));
  EXPECT_EQ(reply.error(), "");
  EXPECT_EQ(reply.status().state(), "idle");
  EXPECT_EQ(reply.status().active().name(), "small-1.0.0");
  EXPECT_EQ(reply.status().menu_column(), "physics");
  EXPECT_EQ(reply.status().shard_count(), 2U);
  EXPECT_EQ(reply.status().lines_size(), 2);
  EXPECT_EQ(reply.status().endpoints(0), "ipc:///events");
}

TEST_F(ControlServerTest, RunsAWholeSessionOfAnOperator) {
  const auto started = answer(send(request([](auto& message) { message.mutable_run_start(); })));
  EXPECT_EQ(started.run().run(), 1U);
  const auto models = answer(send(request([](auto& message) {
    message.mutable_model()->set_verb(v1::ModelAction::VERB_ACTIVATE);
    message.mutable_model()->set_name("small-1.1.0");
  })));
  EXPECT_EQ(models.models().models(1).state(), "active");
  const auto menu =
      answer(send(request([](auto& message) { message.mutable_menu_column()->set_column("calibration"); })));
  EXPECT_EQ(menu.menu().column(), "calibration");
  EXPECT_EQ(menu.menu().lines(1).prescale(), 1U);
  const auto stopped = answer(send(request([](auto& message) { message.mutable_run_stop(); })));
  EXPECT_EQ(stopped.error(), "");
  EXPECT_THAT(stopped.run().record_json(), HasSubstr("small-1.1.0"));
}

TEST_F(ControlServerTest, AFailureComesBackAsItsMessage) {
  const auto reply = answer(send(request([](auto& message) {
    message.mutable_model()->set_verb(v1::ModelAction::VERB_LOAD);
    message.mutable_model()->set_name("absent-1.0.0");
  })));
  EXPECT_THAT(reply.error(), HasSubstr("absent-1.0.0"));
}

TEST_F(ControlServerTest, OneClientThatWaitsDoesNotHoldUpAnother) {
  room.shard(0).adopts_by_itself = false;
  auto waiting =
      send(request([](auto& message) { message.mutable_menu_column()->set_column("calibration"); }));
  const auto status = answer(send(request([](auto& message) { message.mutable_status(); })));
  EXPECT_EQ(status.status().menu_column(), "physics");
  room.shard(0).adopts_by_itself = true;
  EXPECT_EQ(answer(std::move(waiting)).menu().column(), "calibration");
}

TEST_F(ControlServerTest, RefusesWhatItCannotReadAndSaysWhatWasExpected) {
  EXPECT_THAT(answer(send("\xff\xff\xff")).error(), HasSubstr("ControlRequest"));
  EXPECT_THAT(answer(send("")).error(), HasSubstr("protocol version 0, expected 1"));
  EXPECT_THAT(answer(send(request([](auto& message) { message.set_protocol_version(9); }))).error(),
              HasSubstr("protocol version 9, expected 1"));
  EXPECT_THAT(answer(send(request([](auto&) {}))).error(), HasSubstr("asks for nothing"));
  EXPECT_THAT(answer(send(request([](auto& message) { message.mutable_model(); }))).error(),
              HasSubstr("verb 0"));
  EXPECT_THAT(answer(send(std::string(5'000, 'x'))).error(), HasSubstr("at most 4096"));
}

TEST_F(ControlServerTest, ManyClientsAtOnceAllGetTheirReply) {
  std::vector<std::future<v1::ControlReply>> replies;
  for (int i = 0; i < 24; ++i)
    replies.push_back(send(request([](auto& message) { message.mutable_model_list(); })));
  for (auto& reply : replies) EXPECT_EQ(answer(std::move(reply)).models().models_size(), 3);
}

}  // namespace
}  // namespace kantrig::control
