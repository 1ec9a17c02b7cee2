#include "card_link/packet_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "card_link/doorbell.hpp"
#include "card_link/messages.hpp"
#include "support/temporary_folder.hpp"
#include "unit/card_link/descriptors.hpp"

namespace kantrig::card_link {
namespace {

using testing::HasSubstr;

class PacketSocketTest : public testing::Test {
 protected:
  struct Pair {
    PacketSocket daemon;
    PacketSocket card;
  };
  Pair join() {
    auto listener = Listener::open(path_).value();
    auto daemon = PacketSocket::connect(path_).value();
    auto card = listener.accept().value();
    return {std::move(daemon), std::move(*card)};
  }
  /// Two ends of a connection of which one is bare, to send what no PacketSocket would.
  struct BarePair {
    Descriptor bare;
    PacketSocket card;
  };
  static BarePair bare_pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const int bytes = 1 << 20;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return {Descriptor(ends[0]), PacketSocket(Descriptor(ends[1]))};
  }
  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "card.sock";
};

TEST_F(PacketSocketTest, PacketsKeepTheirBordersBothWays) {
  auto [daemon, card] = join();
  EXPECT_FALSE(card.receive().value().has_value());
  ASSERT_TRUE(daemon.send("one"));
  ASSERT_TRUE(daemon.send("three"));
  EXPECT_TRUE(card.wait(1'000));
  EXPECT_EQ(card.receive().value()->bytes, "one");
  EXPECT_EQ(card.receive().value()->bytes, "three");
  ASSERT_TRUE(card.send(std::string(kMessageBytesMax, 'x')));
  EXPECT_EQ(daemon.receive().value()->bytes.size(), kMessageBytesMax);
  EXPECT_EQ(card.peer_pid(), static_cast<std::uint64_t>(::getpid()));
}

TEST_F(PacketSocketTest, DescriptorsArriveAndNoneLeaks) {
  const auto before = test::open_descriptors();
  {
    auto [daemon, card] = join();
    const auto bell = Doorbell::create().value();
    const std::vector<int> many(kDescriptorsMax, bell.fd());
    ASSERT_TRUE(daemon.send("hello", many));
    auto packet = card.receive().value();
    ASSERT_EQ(packet->descriptors.size(), kDescriptorsMax);
    const auto theirs = Doorbell::adopt(packet->descriptors[65].release()).value();
    EXPECT_NE(theirs.fd(), bell.fd());
    EXPECT_NE(::fcntl(theirs.fd(), F_GETFD) & FD_CLOEXEC, 0) << "a child process would inherit it";
    theirs.ring();
    EXPECT_TRUE(bell.wait(0));
    ASSERT_TRUE(daemon.send("unread", many));  // goes with the connection
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(PacketSocketTest, TooManyDescriptorsAreRefusedOnBothSidesAndNoneLeaks) {
  const auto before = test::open_descriptors();
  {
    auto [bare, card] = bare_pair();
    PacketSocket honest{Descriptor(::dup(bare.get()))};
    const std::vector<int> many(kDescriptorsMax + 1, bare.get());
    EXPECT_EQ(honest.send("x", many).error().code, ErrorCode::kInvalid);

    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * (kDescriptorsMax + 1))> control{};
    char byte = 'x';
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * many.size());
    std::memcpy(CMSG_DATA(header), many.data(), sizeof(int) * many.size());
    ASSERT_EQ(::sendmsg(bare.get(), &message, 0), 1);
    const auto received = card.receive();
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(received.error().message, HasSubstr("66 descriptors"));
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(PacketSocketTest, APacketThatIsTooLongIsRefused) {
  auto [bare, card] = bare_pair();
  PacketSocket honest{Descriptor(::dup(bare.get()))};
  const std::string large(kMessageBytesMax + 1, 'x');
  EXPECT_EQ(honest.send(large).error().code, ErrorCode::kInvalid);
  ASSERT_EQ(::send(bare.get(), large.data(), large.size(), 0), static_cast<ssize_t>(large.size()));
  EXPECT_EQ(card.receive().error().code, ErrorCode::kInvalid);
}

TEST_F(PacketSocketTest, AClosedConnectionIsSaidAndBreaksNoPipe) {
  auto [daemon, card] = join();
  ASSERT_TRUE(daemon.send("last words"));
  { const PacketSocket gone = std::move(daemon); }
  EXPECT_EQ(card.receive().value()->bytes, "last words");
  EXPECT_THAT(card.receive().error().message, HasSubstr("the other side has closed it"));
  EXPECT_EQ(card.send("anyone?").error().code, ErrorCode::kIo);
}

TEST_F(PacketSocketTest, ASideThatDoesNotReadIsBusyAndBlocksNobody) {
  auto [daemon, card] = join();
  const std::string packet(4'096, 'x');
  Result<void> sent;
  for (int i = 0; i < 100'000 && sent; ++i) sent = daemon.send(packet);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kBusy);
  ASSERT_TRUE(card.receive().value());
}

TEST_F(PacketSocketTest, NobodyThereIsNotFoundAndSaysWhatIsExpected) {
  const auto before = test::open_descriptors();
  auto none = PacketSocket::connect(path_);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("expected a running kantrig-card"));
  std::ofstream(path_) << "a file";
  EXPECT_EQ(PacketSocket::connect(path_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(PacketSocket::connect("").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(PacketSocket::connect("/" + std::string(200, 'p')).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(PacketSocketTest, OneListensAtAPathAndADeadOnesSocketIsReplaced) {
  {
    const auto living = Listener::open(path_).value();
    const auto second = Listener::open(path_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
    EXPECT_TRUE(std::filesystem::is_socket(path_));
  }
  EXPECT_FALSE(std::filesystem::exists(path_)) << "goes with its listener";
  {
    auto dead = Listener::open(path_).value();
    ASSERT_EQ(::link(path_.c_str(), (path_.string() + ".kept").c_str()), 0);
  }
  std::filesystem::rename(path_.string() + ".kept", path_);
  const auto next = Listener::open(path_);
  ASSERT_TRUE(next) << next.error().message;
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
}

TEST_F(PacketSocketTest, AListenerThatIsTooBusyToAnswerIsNotTakenForDead) {
  const auto living = Listener::open(path_).value();
  std::vector<PacketSocket> waiting;
  Error error;
  for (int i = 0; i < 1'000 && error.message.empty(); ++i) {
    auto connection = PacketSocket::connect(path_);
    if (connection)
      waiting.push_back(std::move(*connection));
    else
      error = connection.error();
  }
  ASSERT_EQ(error.code, ErrorCode::kBusy) << error.message;
  EXPECT_EQ(Listener::open(path_).error().code, ErrorCode::kBusy);
  EXPECT_TRUE(std::filesystem::is_socket(path_));
}

TEST_F(PacketSocketTest, AFileInTheWayIsLeftAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_FALSE(Listener::open(path_));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST(DoorbellTest, IsAdoptedOnlyWhenItIsOneAndNeverLeaks) {
  const auto before = test::open_descriptors();
  EXPECT_FALSE(Doorbell::adopt(::open("/dev/null", O_RDWR | O_CLOEXEC)));
  EXPECT_FALSE(Doorbell::adopt(-1));
  EXPECT_FALSE(Doorbell::duplicate(-1));
  {
    const auto bell = Doorbell::create().value();
    const auto copy = Doorbell::duplicate(bell.fd()).value();
    EXPECT_FALSE(copy.wait(0));
    bell.ring();
    bell.ring();
    EXPECT_TRUE(copy.wait(0));
    EXPECT_FALSE(bell.wait(0)) << "two rings are one";
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

}  // namespace
}  // namespace kantrig::card_link
