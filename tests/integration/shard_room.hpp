// A real shard in a folder of its own, stepped by hand, and clients that speak the protocol frame by frame.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/connection.hpp"
#include "control/menus.hpp"
#include "pipeline/shard.hpp"
#include "support/manual_clock.hpp"
#include "support/temporary_folder.hpp"
#include "wire/client_codec.hpp"

namespace kantrig::test {

/// Whoever is connected says what it likes; nothing is checked or kept.
class RawClient {
 public:
  RawClient(wire::Context& context, const std::string& endpoint, const std::string& name)
      : connection_(client::Connection::open(context, endpoint, std::as_bytes(std::span(name)), 0).value()) {}

  void send(std::span<const std::byte> frame) {
    until([&] { return connection_.send(frame); });
  }
  void send(std::span<const std::byte> header, std::span<const std::byte> payload) {
    const wire::Frame frame = wire::Frame::copy_of(payload);
    until([&] { return connection_.send(header, frame); });
  }
  void send(const wire::BatchHeader& header, std::span<const std::byte> payload) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    send(std::span(room).first(wire::encode_header(header, room)), payload);
  }
  void send(const wire::Hello& hello) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    send(std::span(room).first(wire::encode_hello(hello, room)));
  }
  void send(const wire::DrainAck& ack) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    send(std::span(room).first(wire::encode_drain_ack(ack, room)));
  }
  void send(const wire::Bye& bye) {
    std::array<std::byte, wire::kClientMessageBytesMax> room{};
    send(std::span(room).first(wire::encode_bye(bye, room)));
  }

  /// The next message, if one is there; valid until the next call.
  [[nodiscard]] const wire::ServerMessage* receive() {
    if (!connection_.receive(frame_)) return nullptr;
    return &decoder_.decode(frame_.bytes());
  }
  void wait(std::uint32_t timeout_ms) {
    static_cast<void>(connection_.lost());  // or what the connection had to say would end every wait
    connection_.wait(timeout_ms, /*for_room=*/false);
  }

 private:
  template <typename Done>
  void until(const Done& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "cannot send";
      connection_.wait(1, /*for_room=*/true);
    }
  }
  client::Connection connection_;
  wire::Frame frame_;
  wire::ServerDecoder decoder_;
};

/// Ready for the first conditions. The ledger is `ledger.bin` in the folder; the clock stands still.
class ShardRoom {
 public:
  explicit ShardRoom(pipeline::ShardOptions options) : options_(std::move(options)) {
    options_.socket.endpoints = {endpoint()};
    options_.owner_endpoints = {endpoint()};
    options_.ledger_file = folder_.path() / "ledger.bin";
    clock.now = 1'000'000'000;
    open();
  }

  /// A new life on the same ledger.
  void reopen() {
    shard_.reset();
    shard_context_.reset();  // waits until ZeroMQ has let go of the path
    open();
  }

  [[nodiscard]] std::string endpoint() const { return "ipc://" + (folder_.path() / "events").string(); }
  [[nodiscard]] pipeline::Shard& shard() { return *shard_; }
  [[nodiscard]] RawClient connect(const std::string& name) { return {client_context_, endpoint(), name}; }

  void adopt(pipeline::Conditions conditions) {
    const auto next = std::make_shared<const pipeline::Conditions>(std::move(conditions));
    ASSERT_TRUE(shard_->adopt(next));
    static_cast<void>(shard_->do_work());
    ASSERT_EQ(shard_->adopted(), next);
  }

  /// Steps until `client` has a message that is no unasked credit. nullptr when none comes.
  [[nodiscard]] const wire::ServerMessage* answer_to(RawClient& client) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < deadline) {
      static_cast<void>(shard_->do_work());
      const wire::ServerMessage* message = client.receive();
      if (message != nullptr && message->kind != wire::ServerMessageKind::kCredit) return message;
      if (message == nullptr) client.wait(1);
    }
    ADD_FAILURE() << "no answer";
    return nullptr;
  }

  /// Everything that was ever counted, the open block included.
  [[nodiscard]] ledger::BlockCounts counts() {
    ledger::ShardLedger::Snapshot snapshot;
    shard_->books().snapshot(snapshot);
    return snapshot.total;
  }

  ManualClock clock;

 private:
  void open() {
    shard_context_.emplace(wire::Context::create(1).value());  // of its own, as a process has
    auto shard = pipeline::Shard::create(options_, *shard_context_, clock);
    ASSERT_TRUE(shard) << shard.error().message;
    shard_ = std::move(*shard);
  }

  TemporaryFolder folder_;
  pipeline::ShardOptions options_;
  wire::Context client_context_ = wire::Context::create(1).value();
  std::optional<wire::Context> shard_context_;
  std::unique_ptr<pipeline::Shard> shard_;
};

/// `bundle` as a model that may run on this CPU.
inline std::shared_ptr<const pipeline::LoadedModel> loaded(kan::Bundle bundle) {
  auto prepared = backend::prepare(bundle, {});
  return std::make_shared<const pipeline::LoadedModel>(
      pipeline::LoadedModel{.bundle = std::move(bundle), .prepared = std::move(prepared.value())});
}

inline pipeline::Conditions conditions_of(std::shared_ptr<const pipeline::LoadedModel> model,
                                          const std::string& menu) {
  pipeline::Conditions conditions;
  conditions.run = {1};
  conditions.block = {1};
  conditions.generation = {1};
  conditions.menu = control::compile_menu({menu, "test.toml"}, model->bundle).value();
  conditions.model = std::move(model);
  return conditions;
}

}  // namespace kantrig::test
