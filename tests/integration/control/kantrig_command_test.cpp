// The program kantrig against a control socket in this process.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <future>

#include "control/control_server.hpp"
#include "control/request_handler.hpp"
#include "unit/control/control_room.hpp"

namespace kantrig::control {
namespace {

using test::ControlFolder;
using test::ControlRoom;
using testing::HasSubstr;

struct Outcome {
  int exit_code = -1;
  std::string output;  // and errors
};

Outcome run_program(const std::string& arguments) {
  const std::string command = std::string(KANTRIG_BINARY_DIR) + "/bin/kantrig " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), n);
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

class KantrigCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(room.start());
    endpoint = "ipc://" + (folder.folder.path() / "control").string();
    auto opened = ControlServer::open(
        room.io, context, {.endpoint = endpoint},
        [this](std::string_view request, ControlServer::Reply reply) {
          handler.handle(request, std::move(reply));
        },
        &RequestHandler::refusal);
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
  }
  /// Runs the program while the event loop serves it.
  Outcome call(const std::string& arguments) {
    auto outcome = std::async(std::launch::async, run_program, arguments + " --control " + endpoint);
    EXPECT_TRUE(room.run_until(
        [&] { return outcome.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
    return outcome.get();
  }
  [[nodiscard]] std::string bundle(const std::string& version) const {
    return (folder.repository() / ("small-" + version)).string();
  }

  ControlFolder folder;
  ControlRoom room{folder};
  wire::Context context = wire::Context::create(1).value();
  DaemonFigures figures{.endpoints = {"ipc:///events"}};
  RequestHandler handler{room.controller(), [this] { return figures; },
                         [this](backend::Route route) {
                           for (CardStatus& card : figures.cards) card.route = route;
                         }};
  std::string endpoint;
  std::unique_ptr<ControlServer> server;
};

TEST_F(KantrigCommandTest, ShowsTheStatusToPeopleAndToScripts) {
  const auto text = call("status");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output, HasSubstr("idle"));
  EXPECT_THAT(text.output, HasSubstr("small-1.0.0"));
  const auto json = call("status --json");
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.output, HasSubstr("\"menu_column\": \"physics\""));
  EXPECT_THAT(json.output, HasSubstr("\"run\": \"0\""));
}

TEST_F(KantrigCommandTest, ShowsTheCardsOfTheDaemonAndRoutesBatches) {
  const auto none = call("card route");
  EXPECT_EQ(none.exit_code, 4);
  EXPECT_THAT(none.output, HasSubstr("no cards"));
  CardStatus card;
  card.figures.socket = "/run/kantrig/card-0000:03:00.1";
  card.figures.device = "0000:03:00.1";
  card.figures.reason = "deadline: shard 0 gave it up";
  card.figures.opened[5] = 2;
  card.figures.loads[2] = 1'234;
  card.events = 1'000'000;
  card.shards = {0, 1};
  figures.cards = {card};
  const auto text = call("status");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output,
              HasSubstr("card       /run/kantrig/card-0000:03:00.1  open: deadline: shard 0 gave it up"));
  EXPECT_THAT(text.output, HasSubstr("decided 1,000,000 events"));
  EXPECT_THAT(text.output, HasSubstr("loads: tables 1,234"));
  EXPECT_THAT(text.output, HasSubstr(open_reasons()[5] + " 2"));
  EXPECT_THAT(text.output, HasSubstr("route auto"));
  figures.cards.front().figures.breaker = Breaker::kClosed;
  figures.cards.front().figures.reason.clear();
  EXPECT_THAT(call("card route cpu").output, HasSubstr("route cpu"));
  EXPECT_EQ(figures.cards.front().route, backend::Route::kCpu);
  const auto json = call("card route --json");
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.output, HasSubstr("\"route\": \"cpu\""));
  EXPECT_THAT(json.output, HasSubstr("\"breaker\": \"closed\""));
  EXPECT_EQ(call("card route fpga").exit_code, 2);
  EXPECT_EQ(figures.cards.front().route, backend::Route::kCpu);
}

TEST_F(KantrigCommandTest, WatchesAsOftenAsAsked) {
  const auto watched = call("watch --count 2 --interval 0.1");
  EXPECT_EQ(watched.exit_code, 0);
  EXPECT_THAT(watched.output, HasSubstr("received 0 events/s"));
}

TEST_F(KantrigCommandTest, TakesAModelThroughItsLife) {
  EXPECT_THAT(call("model list").output, HasSubstr("staged"));
  EXPECT_THAT(call("model load small-1.1.0").output, HasSubstr("verified"));
  EXPECT_EQ(call("model shadow small-1.1.0").exit_code, 0);
  EXPECT_EQ(call("model unshadow").exit_code, 0);
  EXPECT_EQ(call("model activate small-1.1.0").exit_code, 0);
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.1.0");
  EXPECT_EQ(call("model rollback").exit_code, 0);
  EXPECT_EQ(room.shard(0).in_force().model->bundle.full_name(), "small-1.0.0");
  const auto refused = call("model unload small-1.0.0");
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.output, HasSubstr("active"));
}

TEST_F(KantrigCommandTest, StopsARunWithItsRecord) {
  EXPECT_THAT(call("run start --comment cosmics").output, HasSubstr("run 1 started"));
  room.shard(0).decide(3, 4);
  const auto stopped = call("run stop");
  EXPECT_EQ(stopped.exit_code, 0);
  EXPECT_THAT(stopped.output, HasSubstr("received 7"));
  EXPECT_THAT(stopped.output, HasSubstr("ledger balances: yes"));
  EXPECT_EQ(call("run stop").exit_code, 4);
}

TEST_F(KantrigCommandTest, ExitsWithOneWhenTheBooksOfARunDoNotBalance) {
  ASSERT_EQ(call("run start").exit_code, 0);
  ASSERT_TRUE(room.runs().add_client(
      {.run = {1}, .source = {1}, .lane = {0}, .sent = 5, .accepted = 5, .ledger = {}}));
  const auto stopped = call("run stop");
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_THAT(stopped.output, HasSubstr("clients agree: NO"));
}

TEST_F(KantrigCommandTest, ShowsLoadsAndChecksMenus) {
  EXPECT_THAT(call("menu show").output, HasSubstr("[physics] calibration"));
  EXPECT_EQ(call("menu show --text").output, test::kMenu);
  EXPECT_THAT(call("menu column calibration").output, HasSubstr("physics [calibration]"));
  const auto file = (folder.folder.path() / "other.toml").string();
  test::write_text(file, test::kOtherMenu);
  EXPECT_THAT(run_program("menu check " + file + " --model " + bundle("1.0.0")).output,
              HasSubstr("fits small-1.0.0"));
  EXPECT_THAT(call("menu load " + file).output, HasSubstr("g_like"));
  test::write_text(
      file,
      "version = 1\nname = \"x\"\ncolumns = [\"a\"]\n[[line]]\nname = \"l\"\nwhen = \"class == top\"\n");
  const auto wrong = run_program("menu check " + file + " --model " + bundle("1.0.0"));
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.output, HasSubstr("top"));
  EXPECT_EQ(call("menu load " + file).exit_code, 4);
}

TEST_F(KantrigCommandTest, VerifiesABundleAndCountsTheVectorsThatAgree) {
  const auto golden = run_program("model verify " + bundle("1.0.0") + " --kernel-set scalar");
  EXPECT_EQ(golden.exit_code, 0);
  EXPECT_THAT(golden.output, HasSubstr("scalar: 16 of 16 vectors agree"));

  const auto inputs = (folder.folder.path() / "in.txt").string();
  const auto outputs = (folder.folder.path() / "out.txt").string();
  test::write_text(inputs, "0 0\n1 0\n");
  test::write_text(outputs, "0 0 0\n99 99 99\n");
  const auto wrong = run_program("model verify " + bundle("1.0.0") + " --kernel-set scalar --inputs " +
                                 inputs + " --expect " + outputs);
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("first difference"));

  folder.damage_bundle("1.0.0");
  EXPECT_EQ(run_program("model verify " + bundle("1.0.0")).exit_code, 3);
}

TEST(KantrigCommand, SaysWhatToDoWhenNobodyAnswers) {
  const auto outcome = run_program("status --control ipc:///tmp/kantrig-nobody-is-here");
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.output, HasSubstr("is kantrigd running? systemctl status kantrigd"));
  EXPECT_EQ(run_program("frobnicate").exit_code, 2);
  EXPECT_EQ(run_program("--help").exit_code, 0);
}

}  // namespace
}  // namespace kantrig::control
