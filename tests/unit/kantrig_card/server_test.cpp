#include "apps/kantrig-card/server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <deque>

#include "support/temporary_folder.hpp"

namespace kantrig::card_host {
namespace {

using card_link::CommandDone;
using card_link::Hello;
using card_link::Load;
using card_link::Loaded;
using card_link::Message;
using card_link::Refusal;
using card_link::Role;
using card_link::StatusRequest;
using card_link::Welcome;
using testing::HasSubstr;

constexpr card_link::RegionShape kShape{.ports = 2, .slots = 2, .input_bytes = 4'096, .output_bytes = 4'096};

/// A server on a real socket, and what it asked for.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    auto listener = card_link::Listener::open(path());
    server_.emplace(io_, clock_, log_, figures_, std::move(listener.value()), calls());
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "socket"; }

  ServerCalls calls() {
    return {.join =
                [this](std::shared_ptr<Link> link) {
                  if (!takes_) return false;
                  links_.push_back(std::move(link));
                  return true;
                },
            .leave = [this] { ++left_; },
            .load =
                [this](Load load, std::uint64_t) {
                  loads_.push_back(std::move(load));
                  return takes_;
                },
            .command =
                [this](std::uint64_t ticket, card_link::Command) {
                  tickets_.push_back(ticket);
                  return takes_;
                },
            .welcome =
                [] {
                  return Welcome{
                      .pid = 7, .version = "1", .device = "0000:03:00.1", .platform = "u50", .state = {}};
                },
            .status =
                [] {
                  card_link::Status status;
                  status.device = "0000:03:00.1";
                  return status;
                }};
  }

  card_link::PacketSocket connect() { return card_link::PacketSocket::connect(path()).value(); }

  void turn() {
    io_.restart();
    io_.poll();
  }

  void say(card_link::PacketSocket& socket, const Message& message,
           const std::vector<int>& descriptors = {}) {
    ASSERT_TRUE(socket.send(card_link::encode(message), descriptors));
    turn();
  }

  /// What came, "closed" when the server hung up, "nothing" when there was nothing.
  template <typename Answer>
  std::optional<Answer> heard(card_link::PacketSocket& socket) {
    auto packet = socket.receive();
    if (!packet || !*packet) return std::nullopt;
    auto message = card_link::decode(std::as_bytes(std::span((*packet)->bytes)));
    if (!message || !std::holds_alternative<Answer>(*message)) return std::nullopt;
    return std::get<Answer>(*message);
  }
  std::string refusal(card_link::PacketSocket& socket) {
    const auto heard_refusal = heard<Refusal>(socket);
    return heard_refusal ? heard_refusal->error : "not refused";
  }
  static bool closed(card_link::PacketSocket& socket) {
    const auto packet = socket.receive();
    return !packet && packet.error().code == ErrorCode::kIo;
  }

  static Hello operator_hello() {
    Hello hello;
    hello.role = Role::kOperator;
    return hello;
  }
  static Hello daemon_hello(card_link::RegionShape shape = kShape) {
    Hello hello;
    hello.role = Role::kDaemon;
    hello.pid = 99;
    hello.region = shape;
    return hello;
  }
  /// Region, card's doorbell and two more.
  std::vector<int> descriptors() {
    region_ = card_link::Region::create(kShape).value();
    std::vector<int> fds{region_->fd()};
    for (int i = 0; i < 3; ++i) {
      bells_.push_back(card_link::Doorbell::create().value());
      fds.push_back(bells_.back().fd());
    }
    return fds;
  }
  card_link::PacketSocket joined() {
    auto socket = connect();
    say(socket, daemon_hello(), descriptors());
    EXPECT_TRUE(heard<Welcome>(socket));
    return socket;
  }

  test::TemporaryFolder folder_;
  boost::asio::io_context io_;
  base::SystemClock clock_;
  base::Logger log_{base::LogLevel::kError};
  ServerFigures figures_;
  bool takes_ = true;
  std::vector<std::shared_ptr<Link>> links_;
  std::vector<Load> loads_;
  std::vector<std::uint64_t> tickets_;
  int left_ = 0;
  std::shared_ptr<card_link::Region> region_;
  std::deque<card_link::Doorbell> bells_;
  std::optional<Server> server_;
};

TEST_F(ServerTest, WelcomesADaemonWithItsRegion) {
  auto socket = connect();
  say(socket, daemon_hello(), descriptors());
  const auto welcome = heard<Welcome>(socket);
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->device, "0000:03:00.1");
  ASSERT_EQ(links_.size(), 1U);
  EXPECT_EQ(links_[0]->ports.size(), 2U);
  EXPECT_EQ(links_[0]->region->shape(), kShape);
  EXPECT_EQ(server_->daemon_pid(), static_cast<std::uint64_t>(::getpid()));
}

TEST_F(ServerTest, RefusesASecondDaemonAndNamesTheFirst) {
  auto first = joined();
  auto second = connect();
  say(second, daemon_hello(), descriptors());
  EXPECT_THAT(refusal(second), HasSubstr("belongs to process " + std::to_string(::getpid())));
  EXPECT_TRUE(closed(second));
  EXPECT_EQ(links_.size(), 1U);
}

TEST_F(ServerTest, LetsTheNextDaemonJoinOnceTheSlotsOfTheFirstAreBack) {
  { auto first = joined(); }
  turn();
  EXPECT_EQ(left_, 1);
  auto early = connect();
  say(early, daemon_hello(), descriptors());
  EXPECT_THAT(refusal(early), HasSubstr("still in flight: try again"));
  server_->on_left();
  auto late = joined();
  EXPECT_EQ(links_.size(), 2U);
}

TEST_F(ServerTest, RefusesADaemonWithTooFewOrWrongDescriptors) {
  const auto all = descriptors();
  auto few = connect();
  say(few, daemon_hello(), {all[0], all[1]});
  EXPECT_THAT(refusal(few), HasSubstr("2 descriptors, expected 4"));
  EXPECT_TRUE(closed(few));
  auto none = connect();
  say(none, daemon_hello());
  EXPECT_THAT(refusal(none), HasSubstr("0 descriptors, expected 4"));
  auto swapped = connect();
  say(swapped, daemon_hello(), {all[1], all[0], all[2], all[3]});
  EXPECT_THAT(refusal(swapped), HasSubstr("the region has"));
  auto no_bell = connect();
  say(no_bell, daemon_hello(), {all[0], all[1], all[2], all[0]});
  EXPECT_THAT(refusal(no_bell), HasSubstr("no eventfd"));
  EXPECT_TRUE(links_.empty());
  auto good = joined();
  EXPECT_EQ(figures_.refused.value(), 4U);
}

TEST_F(ServerTest, RefusesARegionThatIsNotWhatTheGreetingSays) {
  auto socket = connect();
  auto shape = kShape;
  shape.slots = 4;
  say(socket, daemon_hello(shape), descriptors());
  EXPECT_THAT(refusal(socket), HasSubstr("expected"));
  EXPECT_TRUE(closed(socket));
  EXPECT_TRUE(links_.empty());
}

TEST_F(ServerTest, RefusesARegionThatCouldShrink) {
  const auto fds = descriptors();
  const int file = ::memfd_create("shrinks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(::ftruncate(file, ::lseek(fds[0], 0, SEEK_END)), 0);
  auto socket = connect();
  say(socket, daemon_hello(), {file, fds[1], fds[2], fds[3]});
  EXPECT_THAT(refusal(socket), HasSubstr("could shrink"));
  ::close(file);
}

TEST_F(ServerTest, RefusesGarbageAndHangsUp) {
  auto socket = connect();
  ASSERT_TRUE(socket.send("\x01garbage that is no message"));
  turn();
  EXPECT_NE(refusal(socket), "not refused");
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(figures_.refused.value(), 1U);
}

TEST_F(ServerTest, RefusesAnotherProtocolVersionAndSaysWhatToDo) {
  auto socket = connect();
  std::string bytes = card_link::encode(StatusRequest{});
  bytes[1] = 2;  // protocol_version, field 1
  ASSERT_TRUE(socket.send(bytes));
  turn();
  EXPECT_THAT(refusal(socket), HasSubstr("install one version"));
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, AsksForAGreetingFirst) {
  auto socket = connect();
  say(socket, StatusRequest{});
  EXPECT_THAT(refusal(socket), HasSubstr("greeting was expected first"));
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, RefusesASecondGreeting) {
  auto socket = joined();
  say(socket, operator_hello());
  EXPECT_THAT(refusal(socket), HasSubstr("second greeting"));
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(left_, 1);
}

TEST_F(ServerTest, PassesLoadsOnAndAnswersTheDaemon) {
  auto socket = joined();
  say(socket, Load{5, "/models/a", {}, {1, 2}});
  ASSERT_EQ(loads_.size(), 1U);
  EXPECT_EQ(loads_[0].folder, "/models/a");
  Loaded loaded;
  loaded.load_id = 5;
  loaded.error = "no";
  server_->on_loaded(loaded);
  const auto answer = heard<Loaded>(socket);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, "no");
}

TEST_F(ServerTest, SaysSoWhenTooMuchWaits) {
  auto socket = joined();
  takes_ = false;
  say(socket, Load{5, "/models/a", {}, {}});
  const auto answer = heard<Loaded>(socket);
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->error, HasSubstr("try again"));
  auto person = connect();
  say(person, operator_hello());
  ASSERT_TRUE(heard<Welcome>(person));
  say(person, card_link::Command{.verb = card_link::Verb::kTest, .events = 0});
  const auto done = heard<CommandDone>(person);
  ASSERT_TRUE(done);
  EXPECT_THAT(done->error, HasSubstr("try again"));
}

TEST_F(ServerTest, RefusesADaemonWhenTooMuchWaits) {
  takes_ = false;
  auto socket = connect();
  say(socket, daemon_hello(), descriptors());
  EXPECT_THAT(refusal(socket), HasSubstr("try again"));
  EXPECT_EQ(server_->daemon_pid(), 0U);
}

TEST_F(ServerTest, AnswersAnOperatorsCommandToThatOperator) {
  auto one = connect();
  auto other = connect();
  say(one, operator_hello());
  say(other, operator_hello());
  ASSERT_TRUE(heard<Welcome>(one));
  ASSERT_TRUE(heard<Welcome>(other));
  say(other, card_link::Command{.verb = card_link::Verb::kTest, .events = 0});
  ASSERT_EQ(tickets_.size(), 1U);
  CommandDone done;
  done.text = "all well";
  server_->on_done(tickets_[0], done);
  EXPECT_FALSE(heard<CommandDone>(one));
  EXPECT_EQ(heard<CommandDone>(other).value_or(CommandDone{}).text, "all well");
}

TEST_F(ServerTest, KeepsWhatIsADaemonsFromOperatorsAndTheOtherWayRound) {
  auto person = connect();
  say(person, operator_hello());
  ASSERT_TRUE(heard<Welcome>(person));
  say(person, Load{5, "/models/a", {}, {}});
  EXPECT_THAT(refusal(person), HasSubstr("expected a command or status"));
  auto daemon = joined();
  say(daemon, card_link::Command{.verb = card_link::Verb::kReset, .events = 0});
  EXPECT_THAT(refusal(daemon), HasSubstr("expected load or status"));
  EXPECT_TRUE(loads_.empty());
  EXPECT_TRUE(tickets_.empty());
}

TEST_F(ServerTest, TellsTheStatusWithTheDaemonsProcess) {
  auto daemon = joined();
  auto person = connect();
  say(person, operator_hello());
  ASSERT_TRUE(heard<Welcome>(person));
  say(person, StatusRequest{});
  const auto status = heard<card_link::Status>(person);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->daemon_pid, static_cast<std::uint64_t>(::getpid()));
}

TEST_F(ServerTest, TakesNoMoreThanSixteenOperators) {
  std::deque<card_link::PacketSocket> people;
  for (std::size_t i = 0; i < Server::kOperatorsMax; ++i) {
    people.push_back(connect());
    say(people.back(), operator_hello());
    ASSERT_TRUE(heard<Welcome>(people.back())) << i;
  }
  auto one_more = connect();
  say(one_more, operator_hello());
  EXPECT_THAT(refusal(one_more), HasSubstr("16 operators are connected"));
  people.pop_front();
  turn();
  auto now = connect();
  say(now, operator_hello());
  EXPECT_TRUE(heard<Welcome>(now));
}

TEST_F(ServerTest, TakesNoMoreConnectionsThanItsBound) {
  std::deque<card_link::PacketSocket> silent;
  for (std::size_t i = 0; i < Server::kConnectionsMax; ++i) {
    silent.push_back(connect());
    turn();
  }
  auto one_more = connect();
  turn();
  EXPECT_THAT(refusal(one_more), HasSubstr("32 connections are open"));
}

TEST_F(ServerTest, DismissesADaemonAndSaysWhy) {
  auto socket = joined();
  server_->on_dismissed("its rings hold what cannot be");
  EXPECT_THAT(refusal(socket), HasSubstr("rings"));
  EXPECT_TRUE(closed(socket));
  EXPECT_EQ(left_, 1);
}

TEST_F(ServerTest, HangsUpOnADaemonThatReadsNothing) {
  auto socket = joined();
  card_link::StateChange change{card_link::CardState::kReady, std::string(60'000, 'x'), {}};
  for (int i = 0; i < 10'000 && left_ == 0; ++i) server_->on_state(change);
  EXPECT_EQ(left_, 1);
}

}  // namespace
}  // namespace kantrig::card_host
