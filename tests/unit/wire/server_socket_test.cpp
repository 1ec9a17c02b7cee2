#include "wire/server_socket.hpp"

#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <filesystem>
#include <string>
#include <thread>

namespace kantrig::wire {
namespace {

constexpr std::uint32_t kPatienceMs = 10'000;

/// A bare DEALER as a foreign client would use it.
class Dealer {
 public:
  Dealer(Context& context, const std::string& endpoint, const std::string& identity = "")
      : socket_(zmq_socket(context.handle(), ZMQ_DEALER)) {
    const int linger_ms = 0;
    const int timeout_ms = static_cast<int>(kPatienceMs);
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    if (!identity.empty()) zmq_setsockopt(socket_, ZMQ_ROUTING_ID, identity.data(), identity.size());
    EXPECT_EQ(zmq_connect(socket_, endpoint.c_str()), 0);
  }
  ~Dealer() { zmq_close(socket_); }
  Dealer(const Dealer&) = delete;
  Dealer& operator=(const Dealer&) = delete;
  void send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      zmq_send(socket_, frames[i].data(), frames[i].size(), i + 1 < frames.size() ? ZMQ_SNDMORE : 0);
    }
  }
  std::string receive() {
    std::string text(4096, '\0');
    const int bytes = zmq_recv(socket_, text.data(), text.size(), 0);
    return bytes < 0 ? "nothing came" : text.substr(0, static_cast<std::size_t>(bytes));
  }

 private:
  void* socket_;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ServerSocketTest : public testing::Test {
 protected:
  [[nodiscard]] std::string ipc(const char* name = "events") const {
    return "ipc://" + (folder_.path() / name).string();
  }
  Result<ServerSocket> bind(std::vector<std::string> endpoints) {
    ServerSocketOptions options;
    options.endpoints = std::move(endpoints);
    options.message_bytes_max = 1 << 20;
    return ServerSocket::bind(context_, options);
  }
  /// The next message, waited for.
  static bool next(ServerSocket& socket, ServerMessageFrames& message) {
    while (!socket.receive(message)) {
      if (!socket.wait(kPatienceMs, -1).readable)
        return false;  // else there may be a message, or only news of a peer
    }
    return true;
  }

  test::TemporaryFolder folder_;
  Context context_ = Context::create(1).value();
};

TEST_F(ServerSocketTest, ReceivesTheFramesOfAMessageAndAnswersItsSender) {
  auto socket = bind({ipc(), "tcp://127.0.0.1:*"});
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  ASSERT_EQ(socket->endpoints().size(), 2U);
  for (const std::string& endpoint : socket->endpoints()) {
    Dealer dealer(context_, endpoint);
    dealer.send({"header", std::string(100'000, 'p')});
    ServerMessageFrames message;
    ASSERT_TRUE(next(*socket, message));
    ASSERT_EQ(message.frames().size(), 2U);
    EXPECT_EQ(text_of(message.frames()[0]), "header");
    EXPECT_EQ(message.frames()[1].size(), 100'000U);
    EXPECT_FALSE(message.too_many_frames());
    const std::string head = "kept answer";
    const std::string tail = " and suffix";
    EXPECT_EQ(
        socket->send(message.identity(), std::as_bytes(std::span(head)), std::as_bytes(std::span(tail))),
        SendResult::kSent);
    EXPECT_EQ(dealer.receive(), "kept answer and suffix");
  }
}

TEST_F(ServerSocketTest, FlagsAMessageOfTooManyFramesAndKeepsInStep) {
  auto socket = bind({ipc()});
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  Dealer dealer(context_, socket->endpoints().front());
  dealer.send({"1", "2", "3", "4", "5"});
  dealer.send({"next"});
  ServerMessageFrames message;
  ASSERT_TRUE(next(*socket, message));
  EXPECT_TRUE(message.too_many_frames());
  EXPECT_EQ(message.frames().size(), 3U);
  ASSERT_TRUE(next(*socket, message));
  EXPECT_FALSE(message.too_many_frames());
  EXPECT_EQ(text_of(message.frames()[0]), "next");
  EXPECT_FALSE(socket->receive(message));
  EXPECT_TRUE(message.frames().empty());
}

TEST_F(ServerSocketTest, SaysThatAPeerIsGone) {
  auto socket = bind({ipc()});
  ASSERT_TRUE(socket.has_value());
  const std::string nobody = "nobody";
  EXPECT_EQ(socket->send(Identity(std::as_bytes(std::span(nobody))), {}), SendResult::kGone);
}

TEST_F(ServerSocketTest, SaysThatAPeerDoesNotReadInsteadOfWaiting) {
  ServerSocketOptions options;
  options.endpoints = {"inproc://full"};
  options.send_hwm = 4;
  auto socket = ServerSocket::bind(context_, options);
  ASSERT_TRUE(socket.has_value()) << socket.error().message;
  Dealer dealer(context_, "inproc://full");
  dealer.send({"hello"});
  ServerMessageFrames message;
  ASSERT_TRUE(next(*socket, message));
  SendResult result = SendResult::kSent;
  int sent = 0;
  for (; sent < 100'000 && result == SendResult::kSent; ++sent) result = socket->send(message.identity(), {});
  EXPECT_EQ(result, SendResult::kFull);
  EXPECT_GE(sent, 4);
}

TEST_F(ServerSocketTest, HandsAnIdentityOverToTheConnectionThatComesLater) {
  auto socket = bind({ipc()});
  ASSERT_TRUE(socket.has_value());
  Dealer first(context_, socket->endpoints().front(), "lane-7");
  first.send({"one"});
  ServerMessageFrames message;
  ASSERT_TRUE(next(*socket, message));
  Dealer second(context_, socket->endpoints().front(), "lane-7");
  second.send({"two"});
  ASSERT_TRUE(next(*socket, message));
  EXPECT_EQ(text_of(message.identity().bytes()), "lane-7");
  EXPECT_EQ(text_of(message.frames()[0]), "two");
  const std::string reply = "for the second";
  EXPECT_EQ(socket->send(message.identity(), std::as_bytes(std::span(reply))), SendResult::kSent);
  EXPECT_EQ(second.receive(), reply);
}

TEST_F(ServerSocketTest, KeepsIdentitiesOf255Bytes) {
  auto socket = bind({ipc()});
  ASSERT_TRUE(socket.has_value());
  const std::string name(255, 'n');
  Dealer dealer(context_, socket->endpoints().front(), name);
  dealer.send({"hello"});
  ServerMessageFrames message;
  ASSERT_TRUE(next(*socket, message));
  EXPECT_EQ(text_of(message.identity().bytes()), name);
  Identity other = message.identity();
  EXPECT_EQ(IdentityHash{}(other), IdentityHash{}(message.identity()));
  other.data[254] = std::byte{0};
  EXPECT_FALSE(other == message.identity());
}

TEST_F(ServerSocketTest, WakesWhenItsDescriptorIsWritten) {
  auto socket = bind({ipc()});
  ASSERT_TRUE(socket.has_value());
  const int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  ServerMessageFrames message;
  ASSERT_FALSE(socket->receive(message));
  EXPECT_FALSE(socket->wait(0, wake_fd).woken);
  const std::uint64_t one = 1;
  ASSERT_EQ(write(wake_fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  EXPECT_TRUE(socket->wait(kPatienceMs, wake_fd).woken);
  close(wake_fd);
}

TEST_F(ServerSocketTest, NamesTheTakenPort) {
  auto first = bind({"tcp://127.0.0.1:*"});
  ASSERT_TRUE(first.has_value());
  const auto second = bind({first->endpoints().front()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  EXPECT_EQ(second.error().message,
            "cannot bind " + first->endpoints().front() + ": address in use: is another kantrigd running?");
}

TEST_F(ServerSocketTest, DoesNotTakeAPathAwayFromWhoServesIt) {
  auto first = bind({ipc()});
  ASSERT_TRUE(first.has_value());
  const auto second = bind({ipc()});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message,
            "cannot bind " + ipc() + ": address in use: is another kantrigd running?");
  Dealer dealer(context_, ipc());
  dealer.send({"still served"});
  ServerMessageFrames message;
  EXPECT_TRUE(next(*first, message));
}

TEST_F(ServerSocketTest, ReplacesASocketFileThatNobodyServes) {
  const std::string path = (folder_.path() / "events").string();
  const int fd =
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);  // bound and closed: what SIGKILL leaves behind
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  ASSERT_TRUE(std::filesystem::exists(path));
  auto socket = bind({ipc()});
  EXPECT_TRUE(socket.has_value()) << socket.error().message;
}

TEST_F(ServerSocketTest, SaysWhyAnEndpointCannotBeBound) {
  const auto missing = bind({"ipc://" + (folder_.path() / "absent" / "events").string()});
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("folder"), std::string::npos) << missing.error().message;
  const auto odd = bind({"events"});
  ASSERT_FALSE(odd.has_value());
  EXPECT_NE(odd.error().message.find("expected ipc://PATH or tcp://ADDRESS:PORT"), std::string::npos)
      << odd.error().message;
  const auto longer = bind({ipc(std::string(120, 'x').c_str())});
  ASSERT_FALSE(longer.has_value());
  EXPECT_NE(longer.error().message.find("at most 107 bytes"), std::string::npos) << longer.error().message;
  EXPECT_FALSE(bind({}).has_value());
}

}  // namespace
}  // namespace kantrig::wire
