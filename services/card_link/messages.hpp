// What kantrigd, operators and kantrig-card tell each other over their socket: proto/kantrig/v1/card.proto as
// plain structs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "card_link/region.hpp"
#include "kan/record_layout.hpp"

namespace kantrig::card_link {

inline constexpr std::uint32_t kProtocolVersion = 1;
inline constexpr std::size_t kMessageBytesMax = 128U << 10U;

enum class Role : std::uint8_t { kUnspecified = 0, kDaemon = 1, kOperator = 2 };

enum class CardState : std::uint8_t {
  kUnspecified = 0,
  kAbsent = 1,      // the device cannot be opened; tried again and again
  kIdle = 2,        // open, nothing loaded
  kLoading = 3,     // and deciding events of what is ready still
  kReady = 4,       // decides events of `ready`
  kRecovering = 5,  // after a fault
};
[[nodiscard]] std::string_view name_of(CardState state) noexcept;

struct StateChange {
  CardState state = CardState::kUnspecified;
  std::string reason;
  std::vector<std::uint64_t> ready;  // load ids

  friend bool operator==(const StateChange&, const StateChange&) = default;
};

/// First, from who connects. A daemon's packet carries the descriptors of region, card's doorbell and one
/// doorbell a port.
struct Hello {
  Role role = Role::kUnspecified;
  std::uint64_t pid = 0;
  std::string version;
  RegionShape region;  // of a daemon
};

struct Welcome {
  std::uint64_t pid = 0;
  std::string version;
  std::string device;    // PCI address
  std::string platform;  // whose images the bundles must have
  StateChange state;
};

struct Load {
  std::uint64_t load_id = 0;  // chosen by the daemon, never 0, never used twice
  std::string folder;         // of the bundle, absolute
  base::Digest bundle_digest;
  std::vector<std::uint64_t> keep;  // load ids that should stay ready if the hardware has room
};

enum class LoadKind : std::uint8_t { kUnspecified = 0, kNone = 1, kTables = 2, kBitstream = 3 };
[[nodiscard]] std::string_view name_of(LoadKind kind) noexcept;  // "none", "tables", "bitstream"

/// The answer to Load, when it is done; `error` is not empty when it was refused or failed.
struct Loaded {
  std::uint64_t load_id = 0;
  std::string error;
  LoadKind kind = LoadKind::kUnspecified;
  std::uint64_t duration_ns = 0;  // from the order until the golden vectors were right
  std::uint64_t program_ns = 0;   // of it: writing tables or loading the xclbin
  std::uint32_t golden_events = 0;
  kan::RecordLayout input;
  kan::RecordLayout output;
};

enum class Verb : std::uint8_t { kUnspecified = 0, kTest = 1, kReset = 2, kMeasure = 3 };
struct Command {
  Verb verb = Verb::kUnspecified;
  std::uint32_t events = 0;  // of a run to measure
};

/// What XRT alone takes for a run, one run after the other: medians.
struct XrtTimes {
  std::uint32_t runs = 0;
  double copy_in_us = 0.0;
  double submit_us = 0.0;
  double wait_us = 0.0;
  double copy_out_us = 0.0;
  double total_us = 0.0;
};
struct CommandDone {
  std::string error;  // not empty: it failed
  std::string text;
  XrtTimes times;  // of kMeasure
};

struct StatusRequest {};

struct ModelStatus {
  std::uint64_t load_id = 0;
  std::string bundle;
  std::string digest;
  std::uint32_t bank = 0;
  bool overlay = false;
};
struct Sensor {
  std::string name;
  double value = 0.0;
};
struct Status {
  std::string version;
  std::uint64_t pid = 0;
  std::string device;
  std::string device_name;
  std::string platform;
  StateChange state;
  std::uint64_t daemon_pid = 0;  // 0: nobody has joined
  std::string xclbin;
  std::uint32_t compute_units = 0;
  std::vector<ModelStatus> models;
  std::uint64_t batches = 0;  // slots
  std::uint64_t events = 0;
  std::uint64_t runs_in_flight = 0;
  std::uint64_t faults = 0;
  std::uint64_t recoveries = 0;
  std::uint64_t table_swaps = 0;
  std::uint64_t bitstream_swaps = 0;
  std::vector<Sensor> sensors;
  std::string completion;  // "interrupt" or "polling"
};

/// An answer to anything that cannot be done: what was expected. After a refused Hello the card hangs up.
struct Refusal {
  std::string error;
};

using Message = std::variant<Refusal, Hello, Welcome, Load, Loaded, StateChange, Command, CommandDone,
                             StatusRequest, Status>;

[[nodiscard]] std::string encode(const Message& message);
/// The error names what was expected: another protocol version, no body, a region or layout out of bounds.
[[nodiscard]] Result<Message> decode(std::span<const std::byte> packet);

}  // namespace kantrig::card_link
