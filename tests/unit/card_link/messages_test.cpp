#include "card_link/messages.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kantrig/v1/card.pb.h"

namespace kantrig::card_link {
namespace {

namespace pb = kantrig::v1;
using testing::ElementsAre;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}
template <typename T>
T there_and_back(const T& message) {
  return std::get<T>(decode(bytes_of(encode(message))).value());
}
Error refusal(const pb::CardMessage& message) {
  auto decoded = decode(bytes_of(message.SerializeAsString()));
  return decoded ? Error{} : decoded.error();
}
pb::CardMessage message() {
  pb::CardMessage message;
  message.set_protocol_version(kProtocolVersion);
  return message;
}

TEST(CardMessages, EveryKindComesBackAsItWent) {
  const RegionShape shape{.ports = 2, .slots = 3, .input_bytes = 4'096, .output_bytes = 8'192};
  const Hello hello =
      there_and_back(Hello{.role = Role::kDaemon, .pid = 7, .version = "1.2", .region = shape});
  EXPECT_EQ(hello.role, Role::kDaemon);
  EXPECT_EQ(hello.pid, 7U);
  EXPECT_EQ(hello.version, "1.2");
  EXPECT_EQ(hello.region, shape);
  EXPECT_EQ(there_and_back(Hello{.role = Role::kOperator, .pid = 1, .version = "", .region = {}}).role,
            Role::kOperator);

  const StateChange state{CardState::kReady, "two models", {4, 9}};
  EXPECT_EQ(there_and_back(state), state);
  const Welcome welcome = there_and_back(Welcome{8, "1.2", "0000:03:00.1", "emulated", state});
  EXPECT_EQ(welcome.device, "0000:03:00.1");
  EXPECT_EQ(welcome.platform, "emulated");
  EXPECT_EQ(welcome.state, state);

  Load load{.load_id = 5, .folder = "/m/jets-1.1.0", .bundle_digest = {}, .keep = {3, 4}};
  load.bundle_digest.bytes.fill(0xA5);
  const Load load_back = there_and_back(load);
  EXPECT_EQ(load_back.load_id, 5U);
  EXPECT_EQ(load_back.folder, load.folder);
  EXPECT_EQ(load_back.bundle_digest, load.bundle_digest);
  EXPECT_THAT(load_back.keep, ElementsAre(3U, 4U));

  Loaded loaded;
  loaded.load_id = 5;
  loaded.kind = LoadKind::kTables;
  loaded.golden_events = 64;
  loaded.input = {128, {{0, 6}, {6, 6}}};
  loaded.output = {64, {{0, 9}, {12, 16}}};
  const Loaded loaded_back = there_and_back(loaded);
  EXPECT_EQ(loaded_back.kind, LoadKind::kTables);
  EXPECT_EQ(loaded_back.input, loaded.input);
  EXPECT_EQ(loaded_back.output, loaded.output);
  loaded.error = "no image for u50";
  const Loaded failed = there_and_back(loaded);
  EXPECT_EQ(failed.load_id, 5U);
  EXPECT_EQ(failed.error, "no image for u50");

  EXPECT_EQ(there_and_back(Command{Verb::kReset}).verb, Verb::kReset);
  EXPECT_EQ(there_and_back(CommandDone{"hot", "67 C", {}}).error, "hot");
  (void)there_and_back(StatusRequest{});
  EXPECT_EQ(there_and_back(Refusal{"expected a daemon"}).error, "expected a daemon");
  Status status;
  status.state = state;
  status.models = {{5, "jets-1.1.0", "abcd", 1, true}};
  status.sensors = {{"power_watts", 31.5}};
  status.completion = "polling";
  const Status status_back = there_and_back(status);
  EXPECT_EQ(status_back.models[0].bundle, "jets-1.1.0");
  EXPECT_EQ(status_back.sensors[0].value, 31.5);
  EXPECT_EQ(status_back.completion, "polling");
}

TEST(CardMessages, AnotherProtocolIsRefusedAndTheErrorSaysWhatToDo) {
  pb::CardMessage other = message();
  other.set_protocol_version(2);
  other.mutable_status_request();
  EXPECT_EQ(refusal(other).code, ErrorCode::kUnsupported);
  EXPECT_THAT(refusal(other).message, HasSubstr("protocol version 2, expected 1: install one version"));
  EXPECT_THAT(refusal(pb::CardMessage()).message, HasSubstr("protocol version 0"));
  EXPECT_THAT(refusal(message()).message, HasSubstr("a message without a body"));
}

TEST(CardMessages, AGreetingOutOfBoundsIsRefused) {
  pb::CardMessage greeting = message();
  greeting.mutable_hello();
  EXPECT_THAT(refusal(greeting).message, HasSubstr("of role 0"));
  pb::CardHello& hello = *greeting.mutable_hello();
  hello.set_role(pb::CardHello::ROLE_DAEMON);
  EXPECT_THAT(refusal(greeting).message, HasSubstr("a region of layout 0, expected 1"));
  hello.mutable_region()->set_layout_version(kLayoutVersion);
  EXPECT_THAT(refusal(greeting).message, HasSubstr("0 ports"));
  hello.mutable_region()->set_ports(1);
  hello.mutable_region()->set_slots(1U << 30U);
  EXPECT_THAT(refusal(greeting).message, HasSubstr("slots a port"));
  hello.mutable_region()->set_slots(2);
  hello.mutable_region()->set_input_bytes(~0ULL);
  EXPECT_THAT(refusal(greeting).message, HasSubstr("input of a slot"));
}

TEST(CardMessages, ALoadOutOfBoundsIsRefused) {
  pb::CardMessage order = message();
  order.mutable_load();
  EXPECT_THAT(refusal(order).message, HasSubstr("load id 0"));
  order.mutable_load()->set_load_id(1);
  order.mutable_load()->set_bundle_digest("short");
  EXPECT_THAT(refusal(order).message, HasSubstr("a digest of 5 bytes, expected 32"));
}

TEST(CardMessages, ALayoutOutOfBoundsIsRefused) {
  pb::CardMessage answer = message();
  pb::CardLoaded& loaded = *answer.mutable_loaded();
  EXPECT_THAT(refusal(answer).message, HasSubstr("record layout"));
  loaded.mutable_input()->set_record_bits(64);
  loaded.mutable_input()->add_offsets(0);
  EXPECT_THAT(refusal(answer).message, HasSubstr("1 offsets and 0 widths"));
  loaded.mutable_input()->add_widths(17);
  EXPECT_THAT(refusal(answer).message, HasSubstr("a field of bits 0 to 17"));
  loaded.mutable_input()->set_widths(0, 8);
  loaded.mutable_input()->set_offsets(0, 0xFFFF'FFFF);
  EXPECT_THAT(refusal(answer).message, HasSubstr("and below 64"));
}

TEST(CardMessages, UnknownWordsAreUnknownAndNotAnythingElse) {
  pb::CardMessage state = message();
  state.mutable_state()->set_state(static_cast<pb::CardStateChange::State>(99));
  const auto decoded = std::get<StateChange>(decode(bytes_of(state.SerializeAsString())).value());
  EXPECT_EQ(decoded.state, CardState::kUnspecified);
  EXPECT_EQ(name_of(static_cast<CardState>(99)), "unknown");
  EXPECT_EQ(name_of(static_cast<LoadKind>(99)), "unknown");
  EXPECT_EQ(name_of(CardState::kRecovering), "recovering");
  EXPECT_EQ(name_of(LoadKind::kBitstream), "bitstream");
}

TEST(CardMessages, GarbageIsRefusedOrReadButNeverBelieved) {
  std::mt19937 random(17);
  const std::string whole = encode(Welcome{8, "1.2", "0000:03:00.1", "emulated", {}});
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    if (i % 2 == 0) bytes.resize(random() % 64);
    for (int n = 0; n < 3 && !bytes.empty(); ++n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto decoded = decode(bytes_of(bytes));
    EXPECT_TRUE(decoded || !decoded.error().message.empty());
  }
  EXPECT_FALSE(decode({}));
}

}  // namespace
}  // namespace kantrig::card_link
