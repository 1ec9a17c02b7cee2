// The daemon's side of the protocol, small and obedient to the test: an event is accepted when its first byte
// is odd.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wire/decoder.hpp"
#include "wire/encoder.hpp"
#include "wire/server_socket.hpp"

namespace kantrig::test {

class ScriptedServer {
 public:
  explicit ScriptedServer(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  /// Binds; its lane is as it was, as with a ledger that survives.
  void start();
  /// The socket goes, with everything that was under way.
  void kill() {
    socket_.reset();
    context_.reset();  // waits until ZeroMQ has let go of the path
  }
  /// Takes in and answers what has come. Returns how many messages.
  std::size_t step();
  void wait(std::uint32_t timeout_ms) { static_cast<void>(socket_->wait(timeout_ms, -1)); }
  /// Sends a credit that nobody asked for to the last client heard of.
  void send_credit(const wire::Credit& credit);

  // What it shall do.
  wire::Credit credit{1'000'000, 100'000'000, 100};
  wire::Reason welcome_reason = wire::Reason::kNone;
  std::string redirect;
  bool deaf = false;           // reads and answers nothing
  bool loses_answers = false;  // decides, but the answer gets lost
  bool answers_twice = false;
  bool requires_hello = true;
  std::uint32_t heartbeat_interval_ms = 1'000;
  std::function<wire::Reason(const wire::BatchHeader&)> refuse;  // kNone: decide

  // What it saw.
  std::uint64_t next_sequence = 1;
  std::vector<std::uint64_t> decided;  // sequences, in order: each once
  std::uint64_t duplicates = 0;
  std::uint64_t gaps = 0;
  std::uint64_t hellos = 0;
  std::uint64_t heartbeats = 0;
  std::vector<std::uint64_t> drain_acks;
  std::vector<wire::Bye> byes;
  std::map<std::uint64_t, std::vector<std::byte>> kept;

 private:
  void on_message(const wire::ClientMessage& message);
  void on_batch(const wire::BatchHeader& header, std::span<const std::byte> payload);
  void refuse_batch(const wire::BatchHeader& header, wire::Reason reason);
  void reply(std::span<const std::byte> head, std::span<const std::byte> tail = {});

  std::string endpoint_;
  std::optional<wire::Context> context_;  // of its own, as a process has
  std::optional<wire::ServerSocket> socket_;
  wire::ServerMessageFrames frames_;
  wire::Decoder decoder_;
  wire::Encoder encoder_;
  wire::Identity peer_;
  bool welcomed_ = false;
};

}  // namespace kantrig::test
