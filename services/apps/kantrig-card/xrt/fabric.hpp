// Fabric: what is loaded on the card: compute units of one kernel, checked and opened, with their buffers and
// runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/kantrig-card/xrt/device.hpp"
#include "apps/kantrig-card/xrt/fault.hpp"
#include "apps/kantrig-card/xrt/image.hpp"
#include "card/registers.hpp"
#include "kan/card_image.hpp"

namespace kantrig::card_host {

/// What the registers of a compute unit say of it.
struct FabricFacts {
  std::uint32_t interface_version = 0;
  bool overlay = false;
  std::uint32_t input_record_bits = 0;
  std::uint32_t output_record_bits = 0;
  std::uint32_t features = 0;
  std::uint32_t outputs = 0;
  std::uint32_t self_test_events = 0;
  std::string hardware_digest;  // hex

  friend bool operator==(const FabricFacts&, const FabricFacts&) = default;
};

/// Is this the hardware that the bundle means? The error names the register and what was expected.
[[nodiscard]] Result<void> check_facts(const FabricFacts& facts, const kan::CardImage& image);

/// Memory of host and card that is copied to and fro. Movable; destroyed before its fabric.
///
/// Threading: one thread at a time. Allocation: when made.
class Buffer {
 public:
  Buffer() = default;
  [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }
  /// The first `bytes` to the card; and back.
  [[nodiscard]] DeviceResult<void> to_card(std::size_t bytes) const noexcept;
  [[nodiscard]] DeviceResult<void> from_card(std::size_t bytes) const noexcept;

 private:
  friend class Fabric;
  struct Handle;
  std::shared_ptr<Handle> handle_;
  std::span<std::byte> memory_;
};

enum class RunState : std::uint8_t { kGoing, kDone };

/// The scalar arguments of a run.
struct RunArguments {
  std::uint32_t events = 0;
  std::uint32_t bank = 0;
  card::Mode mode = card::Mode::kDecide;
  std::uint32_t table_first = 0;

  friend bool operator==(const RunArguments&, const RunArguments&) = default;
};

/// One command to a compute unit, made once and started again and again.
///
/// Threading: one thread at a time.
class Run {
 public:
  Run() = default;
  [[nodiscard]] DeviceResult<void> start(const RunArguments& arguments) noexcept;
  /// kDone, or kGoing; a fault when the device, driver or card ended it otherwise.
  [[nodiscard]] DeviceResult<RunState> state() const noexcept;
  /// Waits for the card's interrupt, at most about `at_most`, which is at least 1 ms; then as state().
  [[nodiscard]] DeviceResult<RunState> wait(std::chrono::milliseconds at_most) const noexcept;

 private:
  friend class Fabric;
  struct Handle;
  std::shared_ptr<Handle> handle_;
  RunArguments arguments_;
  bool started_ = false;
};

/// Threading: making things, one thread; read_register(), any.
class Fabric {
 public:
  /// After Device::load(image): reads the registers of every compute unit, checks them, and opens the units
  /// for this process alone.
  [[nodiscard]] static DeviceResult<std::shared_ptr<Fabric>> open(const Device& device, const Image& image,
                                                                  const kan::CardImage& expected);
  ~Fabric();
  Fabric(const Fabric&) = delete;
  Fabric& operator=(const Fabric&) = delete;

  [[nodiscard]] const FabricFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] std::size_t compute_units() const noexcept;
  /// Every unit reaches the same memory: any may run on any buffer.
  [[nodiscard]] bool shares_memory() const noexcept;

  enum class Use : std::uint8_t { kInput, kOutput };
  /// In the memory of `unit`; host memory of its own, or `memory`, which must begin at a page and stay.
  [[nodiscard]] DeviceResult<Buffer> make_buffer(std::size_t unit, Use use, std::size_t bytes) const;
  [[nodiscard]] DeviceResult<Buffer> adopt_memory(std::size_t unit, Use use,
                                                  std::span<std::byte> memory) const;
  [[nodiscard]] DeviceResult<Run> make_run(std::size_t unit, const Buffer& input, const Buffer& output) const;
  /// Any register of a unit, also while it runs. All ones is a fault: the device does not answer.
  [[nodiscard]] DeviceResult<std::uint32_t> read_register(std::size_t unit,
                                                          std::uint32_t offset) const noexcept;

 private:
  struct Handle;
  Fabric(std::unique_ptr<Handle> handle, FabricFacts facts);
  std::unique_ptr<Handle> handle_;
  FabricFacts facts_;
};

}  // namespace kantrig::card_host
